/** Pictures here are drawn to be encoded: by way of the graphics process that takes seconds on a busy machine. */
export const SOFTWARE = { willReadFrequently: true };
