// Bundles the browser half into src/ipyassets/static/: one ESM and one stylesheet for each family of widgets, and for pages of their own, minified, without source paths.
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const watching = process.argv.includes("--watch");

/** @type {esbuild.BuildOptions} */
const options = {
  absWorkingDir: here,
  entryPoints: {
    grid: "src/index.ts",
    jobs: "src/jobs/index.ts",
    player: "src/player/index.ts",
    compare: "src/compare/index.ts",
    page: "src/page/index.ts",
  },
  outdir: "../src/ipyassets/static",
  bundle: true,
  format: "esm",
  target: ["es2022", "chrome111", "firefox115", "safari16.4"],
  minify: !watching,
  legalComments: "inline",
  charset: "utf8",
  logLevel: "info",
};

if (process.argv.includes("--inputs")) {
  // What goes into the bundles, for the list of licences; nothing is written.
  const { metafile } = await esbuild.build({ ...options, metafile: true, write: false, logLevel: "error" });
  console.log(JSON.stringify(Object.keys(metafile.inputs)));
} else if (watching) {
  const context = await esbuild.context(options);
  await context.watch();
} else {
  await esbuild.build(options);
}
