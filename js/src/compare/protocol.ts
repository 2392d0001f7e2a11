/** What crosses between the comparison and Python; mirrors `src/ipyassets/widgets/compare.py`. */

import type { PictureMessage } from "../kernel/pictures";
import type { Said } from "../kernel/requests";

export interface ImageFacts {
  label: string;
  /** Its own pixels; 0 where there is no image. */
  width: number;
  height: number;
  /** Whether it comes in its own pixels at once. Of others parts do, when one looks closely. */
  whole: boolean;
  message: string | null;
}

export interface Setup {
  label: string;
  height: string;
  images: ImageFacts[];
}

export interface Traits {
  _setup: Setup;
}

export interface Reply extends Said {
  picture?: PictureMessage;
}
