/** How jobs are put into words. */

import type { Files } from "./job";
import type { Stage, Standing, Status } from "./protocol";

/** Seconds as a clock shows them: 0:07, 12:40, 1:02:09. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${two(whole % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** An estimate, no finer than it deserves. */
export function left(seconds: number): string {
  if (seconds < 5) return "a few seconds left";
  if (seconds <= 55) return `about ${5 * Math.ceil(seconds / 5)} s left`;
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 60) return `about ${minutes} min left`;
  const rest = 10 * Math.floor((minutes % 60) / 10);
  return `about ${Math.floor(minutes / 60)} h${rest ? ` ${rest} min` : ""} left`;
}

const STATUS: Record<Status, string> = {
  queued: "Queued",
  running: "Running",
  completed: "Done",
  partly_failed: "Done, with failures",
  failed: "Failed",
  stopped: "No longer followed; the service goes on with it",
};

export const statusWords = (status: Status): string => STATUS[status];

const STAGE: Record<Stage, string> = {
  queued: "queued",
  running: "running",
  completed: "done",
  failed: "failed",
  stopped: "not followed",
};

export function stageWords(stage: Stage, share: number | null): string {
  return stage === "running" && share !== null ? `${Math.floor(share * 100)} %` : STAGE[stage];
}

const number = (n: number) => n.toLocaleString("en");

export function countWords({ done, failed }: Standing, count: number): string {
  const failures = failed ? ` · ${number(failed)} failed` : "";
  return `${number(done)} of ${number(count)} done${failures}`;
}

/** For the ear: how far it is, in one short sentence. */
export function spokenCount(standing: Standing, count: number): string {
  const { status, done, failed } = standing;
  const over = status !== "queued" && status !== "running";
  const failures = failed ? `, ${number(failed)} failed` : "";
  return `${over ? `${statusWords(status)}: ` : ""}${number(done)} of ${number(count)} done${failures}`;
}

/** Of a line's files, what the pictures that are shown do not tell; empty if they tell all. */
export function filesWords({ pictures, others, more }: Files, shown: number): string {
  const words = [];
  if (pictures > shown) words.push(`The first ${number(shown)} of ${number(pictures)} pictures are shown.`);
  if (pictures === 0 && others.length) words.push("There are no pictures.");
  if (others.length)
    words.push(
      `${others.length === 1 ? "One file is" : `${number(others.length + more)} files are`} no picture: ` +
        `${others.join(", ")}${more ? ` and ${number(more)} more` : ""}.`,
    );
  return words.join(" ");
}
