/** What crosses between the player and Python; mirrors `src/ipyassets/widgets/turntable_player.py`. */

import type { PictureMessage } from "../kernel/pictures";
import type { Said } from "../kernel/requests";

export interface Setup {
  label: string;
  height: string;
  autoplay: boolean;
}

export interface Film {
  state: "loading" | "frames" | "video" | "error";
  count: number;
  fps: number;
  width: number;
  height: number;
  message: string | null;
}

export interface Traits {
  _setup: Setup;
  _film: Film;
}

export interface FrameMessage extends PictureMessage {
  index: number;
}

export interface Part extends Said {
  frames: FrameMessage[];
}

export interface Reply extends Said {
  poster?: PictureMessage;
  mime?: string;
  buffer?: number;
}
