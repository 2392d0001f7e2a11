import "./host.css";
// Jobs that are made up, without Jupyter: `npm run page`, then open /jobs.html at the address it prints.
// Parameters: count, jobs, theme=dark, width, height, case=names|done|failed|trouble|gone|queued|archive, speed (lines a second).
import widget from "../src/jobs/index";
import type { RowMessage, Stage, Traits } from "../src/jobs/protocol";
import { FakeModel } from "../tests/fake";
import { FakeJob, info, playJobs } from "../tests/fake_jobs";
import { SOFTWARE } from "./canvas";

const parameters = new URLSearchParams(location.search);
const count = Number(parameters.get("count") ?? 12);
const shown = parameters.get("case") ?? "";
const speed = Number(parameters.get("speed") ?? 2);
const NAMES = [
  "Armchair",
  "Bookcase",
  "كرسي خشبي قديم",
  "Ceramic jug with two handles",
  "<b>bold?</b>",
  "טבלה",
];
const LONG = "A very long name that a person once gave to a chair and nobody dared to shorten ".repeat(3);
const ERROR =
  "The turntable could not be made: VNTANA said FAILED and gave no reason. The stills are there; retry_failed() asks for the rest again.";

if (parameters.get("theme") === "dark") document.documentElement.classList.add("dark");

async function draw(index: number, edge: number, still: boolean): Promise<Uint8Array | null> {
  if (index % 11 === 7) return null;
  const canvas = new OffscreenCanvas(edge, still ? Math.round((edge * 9) / 16) : edge);
  const pen = canvas.getContext("2d", SOFTWARE) as OffscreenCanvasRenderingContext2D;
  pen.fillStyle = `hsl(${index * 47} 30% 90%)`;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = `hsl(${index * 47} 45% 45%)`;
  pen.fillRect(canvas.width * 0.3, canvas.height * 0.25, canvas.width * 0.4, canvas.height * 0.5);
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.8 });
  return new Uint8Array(await blob.arrayBuffer());
}

const now = Date.now() / 1000;
const name = (i: number) => (shown === "names" && i % 3 === 0 ? LONG : `${NAMES[i % NAMES.length]} ${i + 1}`);

function line(index: number): RowMessage {
  if (PARTS) return archive(index);
  const begun = index * 2 < count;
  const stages: [Stage, Stage] = ["queued", "queued"];
  if (shown === "done" || (begun && index * 4 < count)) stages.fill("completed");
  else if (begun && shown !== "queued") stages.splice(0, 2, index % 2 ? "completed" : "running", "running");
  const row: RowMessage = { index, name: name(index), stages };
  if (stages[0] !== "queued") row.began = now - 40 - index;
  if (stages.every((stage) => stage === "completed")) row.ended = now - 20 - index / 2;
  if (stages[1] === "running" && index % 2) row.shares = [null, 0.4];
  if (shown === "failed" && index % 5 === 1) {
    row.stages = ["completed", "failed"];
    row.errors = { turntable: ERROR };
    row.ended = now - 5;
  }
  return row;
}

function archive(index: number): RowMessage {
  const row = {
    index,
    name: count > 1 ? `Archive ${index + 1} of 1,000 assets` : "Archive of 1,000 assets",
    began: now - 40,
  };
  if (index === 0) return { ...row, stages: ["completed"], ended: now - 5 };
  return index === 1
    ? { ...row, stages: ["running"], shares: [0.4] }
    : { index, name: row.name, stages: ["queued"] };
}

const PARTS = shown === "archive" && {
  parts: [{ name: "archive", label: "Archive", gives: "files" as const }],
};
const infos = Array.from({ length: Number(parameters.get("jobs") ?? 1) }, (_, i) =>
  info({
    key: String(i + 1),
    title: i ? `Second thoughts ${i}` : `${count} ${PARTS ? "archives" : "renders"}`,
    count,
    ...PARTS,
  }),
);
const fake = new FakeModel<Traits>({
  _setup: { height: parameters.get("height") ?? "360px" },
  _jobs: infos,
});
const jobs = infos.map(
  (of) =>
    new FakeJob(
      fake,
      of,
      Array.from({ length: count }, (_, i) => line(i)),
    ),
);
for (const job of jobs) {
  job.began = now - 75;
  if (shown === "queued") job.status = "queued";
  if (shown === "done") job.status = "completed";
  if (shown === "trouble")
    job.trouble =
      "VNTANA did not answer in 30 s (POST /v1/products/actions/statuses). The next look is in 20 s.";
}
playJobs(fake, jobs, draw);
if (shown === "gone")
  setTimeout(() => Object.assign(fake, { comm_live: false }) && fake.emit("comm_live_update"), 300);

if (speed && shown !== "done" && shown !== "queued")
  setInterval(() => {
    for (const job of jobs) {
      const next = job.rows.find(({ stages }) =>
        stages.some((stage) => stage === "queued" || stage === "running"),
      );
      if (!next || job.status === "stopped") continue;
      const part = next.stages.findIndex((stage) => stage === "queued" || stage === "running");
      const stages = next.stages.map((stage, i) =>
        i === part ? (stage === "queued" ? ("running" as const) : ("completed" as const)) : stage,
      );
      const over = stages.every((stage) => stage === "completed" || stage === "failed");
      job.change({
        ...next,
        stages,
        began: next.began ?? Date.now() / 1000,
        ...(over && { ended: Date.now() / 1000 }),
      });
    }
  }, 1000 / speed);

const host = document.createElement("div");
host.style.width = parameters.get("width") ?? "";
document.body.append(host);
Object.assign(window, { fake, jobs });
const factory = widget as () => { initialize: (p: object) => void; render: (p: object) => void };
const made = factory();
made.initialize({ model: fake.model });
made.render({ model: fake.model, el: host });
if (parameters.has("twice")) {
  const second = document.createElement("div");
  document.body.append(second);
  made.render({ model: fake.model, el: second });
}
