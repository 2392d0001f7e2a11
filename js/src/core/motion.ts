/** Whether this person asked for less motion: then nothing moves by itself. */
export const calm = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;
