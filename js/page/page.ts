import "./host.css";
// The widget over a made-up catalogue, without Jupyter: `npm run page`, then open the address it prints.
// Parameters: count, theme=dark, width, delay, case=names|error|loading|gone|images|pick.
import widget from "../src/index";
import type { Query, Traits } from "../src/protocol";
import { type Catalogue, FakeModel, playKernel, result, setup } from "../tests/fake";
import { SOFTWARE } from "./canvas";

const parameters = new URLSearchParams(location.search);
const count = Number(parameters.get("count") ?? 87);
const shown = parameters.get("case") ?? "";
const NAMES = [
  "Armchair",
  "Bookcase",
  "Ceramic jug with two handles",
  "Desk lamp",
  "كرسي خشبي قديم",
  "Stool",
  "טבלה",
];
const LONG = "A very long name that a person once gave to a chair and nobody dared to shorten "
  .repeat(3)
  .slice(0, 200);

if (parameters.get("theme") === "dark") document.documentElement.classList.add("dark");

async function draw(index: number, edge: number, angle = 0) {
  const wide = index % 3 === 1;
  const canvas = new OffscreenCanvas(edge, wide ? Math.round(edge * 0.66) : edge);
  const pen = canvas.getContext("2d", SOFTWARE) as OffscreenCanvasRenderingContext2D;
  const hue = (index * 47) % 360;
  const light = pen.createRadialGradient(
    edge * 0.4,
    edge * 0.3,
    edge * 0.05,
    edge * 0.5,
    edge * 0.5,
    edge * 0.8,
  );
  light.addColorStop(0, `hsl(${hue} 30% 97%)`);
  light.addColorStop(1, `hsl(${hue} 25% 80%)`);
  pen.fillStyle = light;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = `hsl(${hue} 45% 45%)`;
  const width = canvas.width * 0.4 * (0.25 + 0.75 * Math.abs(Math.cos(angle)));
  pen.fillRect((canvas.width - width) / 2, canvas.height * 0.25, width, canvas.height * 0.5);
  pen.fillStyle = "#fff";
  pen.font = `${Math.round(edge / 8)}px sans-serif`;
  pen.textAlign = "center";
  pen.fillText(String(index), canvas.width / 2, canvas.height / 2);
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.8 });
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return { bytes, mime: "image/jpeg", width: canvas.width, height: canvas.height };
}

const name = (index: number) =>
  shown === "names" && index % 4 === 0
    ? LONG
    : index % 11 === 5
      ? "<b>bold?</b>"
      : `${NAMES[index % NAMES.length]} ${index + 1}`;

const catalogue: Catalogue = {
  count,
  name,
  picture: async (index, edge) =>
    index % 13 === 6 ? "none" : index % 17 === 9 ? "error" : draw(index, edge),
  turn: async (index, edge) =>
    index % 2
      ? []
      : Promise.all(Array.from({ length: 18 }, (_, place) => draw(index, edge, (2 * Math.PI * place) / 18))),
  facts: (index) => [
    ["Kind", "3d"],
    ["Status", "LIVE_PUBLIC"],
    ["Created", "2026-03-14 09:26 UTC"],
    ["Tags", "chair, wood, indoor"],
    ["Description", `${LONG}\nSecond line.`],
    ["Id", `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`],
  ],
  matches: ({ text }: Query) => (text ? Math.floor(count / (text.length + 1)) : count),
  delay: Number(parameters.get("delay") ?? 30),
};

const services = [
  {
    key: "vntana",
    title: "VNTANA",
    places: "Workspace",
    filters: [
      {
        name: "status",
        label: "Status",
        kind: "choices" as const,
        choices: ["LIVE_PUBLIC", "LIVE_INTERNAL", "DRAFT", "REJECTED"].map((value) => ({
          value,
          label: value.replace("_", " ").toLowerCase(),
        })),
      },
      {
        name: "category",
        label: "Category",
        kind: "choice" as const,
        choices: ["chair", "table", "lamp"].map((value) => ({ value, label: value })),
      },
      { name: "tag", label: "Tag", kind: "text" as const, choices: [] },
      { name: "published", label: "Published only", kind: "flag" as const, choices: [] },
    ],
    sorts: [
      { value: "name", label: "Name" },
      { value: "-created", label: "Newest first" },
    ],
    turns: true,
  },
  { key: "itwin", title: "Bentley iTwin", places: "iTwin", filters: [], sorts: [], turns: false },
];

const images = shown === "images";
const fake = new FakeModel<Traits>({
  _setup: setup({
    kind: images ? "images" : "explorer",
    nouns: images ? ["image", "images"] : ["asset", "assets"],
    services: images ? [] : services,
    height: parameters.get("height") ?? "520px",
    banner: images
      ? null
      : "The sandbox: made-up accounts and CC0 models on this computer. Nothing here is yours.",
  }),
  _places: {
    vntana: {
      items: [
        { value: "w1", label: "Furniture" },
        { value: "w2", label: "Archive" },
      ],
      message: null,
    },
  },
  _result:
    shown === "error"
      ? result({
          state: "error",
          message:
            "VNTANA did not answer in 30 s (POST /v1/products/clientorganizations). Check the network, then try again.",
        })
      : shown === "loading"
        ? result({ state: "loading" })
        : result({ count, total: count }),
  _picking: shown === "pick",
});
if (shown === "gone")
  setTimeout(() => Object.assign(fake, { comm_live: false }) && fake.emit("comm_live_update"), 300);
playKernel(fake, catalogue);

const host = document.createElement("div");
host.style.width = parameters.get("width") ?? "";
document.body.append(host);
Object.assign(window, { fake });
const factory = widget as () => { initialize: (p: object) => void; render: (p: object) => void };
const made = factory();
made.initialize({ model: fake.model });
made.render({ model: fake.model, el: host });
if (parameters.has("twice")) {
  const second = document.createElement("div");
  document.body.append(second);
  made.render({ model: fake.model, el: second });
}
