import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Ranges } from "../src/core/ranges";
import { Cancelled, Refused, Requests } from "../src/kernel/requests";
import { KernelSource } from "../src/kernel/source";
import type { Query } from "../src/protocol";
import type { Tile } from "../src/source";
import { FakeModel, result } from "./fake";

const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("Requests", () => {
  function table() {
    const sent: Record<string, unknown>[] = [];
    const link: boolean[] = [];
    const requests = new Requests(
      (message) => sent.push(message as Record<string, unknown>),
      10_000,
      (answering) => link.push(answering),
    );
    return { sent, link, requests };
  }

  it("gives each its own answer", async () => {
    const { sent, requests } = table();
    const first = requests.ask({ op: "hello" });
    const second = requests.ask({ op: "use" });
    const [a, b] = sent.map(({ request }) => request as string);
    expect(a).not.toBe(b);
    requests.receive({ op: "error", request: b as string, message: "Nothing waits." }, []);
    requests.receive({ op: "reply", request: a as string, generation: 3 }, []);
    await expect(second).rejects.toThrow(new Refused("Nothing waits."));
    expect((await first).answer.generation).toBe(3);
    expect(requests.size).toBe(0);
  });

  it("lets answers to another page pass", () => {
    const { requests } = table();
    void requests.ask({ op: "hello" });
    requests.receive({ op: "reply", request: "stranger-0" }, []);
    expect(requests.size).toBe(1);
  });

  it("tells the other side when it is called off", async () => {
    const { sent, requests } = table();
    const controller = new AbortController();
    const asked = requests.ask({ op: "use" }, { signal: controller.signal });
    controller.abort();
    await expect(asked).rejects.toBeInstanceOf(Cancelled);
    expect(sent.at(-1)).toEqual({ op: "cancel", requests: [sent[0]?.request] });
    expect(requests.size).toBe(0);
  });

  it("says so each time nothing was answered for a while, and when something is again", async () => {
    const { sent, link, requests } = table();
    const asked = requests.ask({ op: "hello" });
    await vi.advanceTimersByTimeAsync(9_999);
    expect(link).toEqual([]);
    await vi.advanceTimersByTimeAsync(10_001);
    expect(link).toEqual([false, false]);
    requests.receive({ op: "reply", request: sent[0]?.request as string }, []);
    await asked;
    expect(link).toEqual([false, false, true]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(link, "silence is no trouble when nothing was asked").toEqual([false, false, true]);
  });
});

describe("KernelSource", () => {
  const words = (text: string): Query => ({ service: "vntana", place: null, text, filters: {}, sort: null });

  async function connected() {
    const fake = new FakeModel();
    const source = new KernelSource(fake.model);
    fake.receive({ op: "reply", request: fake.sent[0]?.request });
    await settle();
    return { fake, source };
  }

  it("knocks at once, and awaits nothing", () => {
    const fake = new FakeModel();
    new KernelSource(fake.model);
    expect(fake.sent.map(({ op }) => op)).toEqual(["hello"]);
  });

  it("makes pictures of exactly their own bytes", async () => {
    const { fake, source } = await connected();
    const tiles: Tile[] = [];
    void source.tiles(1, Ranges.span(0, 1), 192, (more) => tiles.push(...more), new AbortController().signal);
    const { request } = fake.asked("tiles")[0] as { request: string };
    const whole = new Uint8Array([9, 9, 1, 2, 3, 9]);
    const answer = [
      { index: 0, id: "a", name: "A", state: "ok", mime: "image/png", buffer: 0 },
      { index: 1, id: "b", name: "B", state: "ok", mime: "image/svg+xml", buffer: 0 },
    ];
    fake.receive({ op: "part", request, tiles: answer }, [new DataView(whole.buffer, 2, 3)]);
    expect([...(tiles[0]?.encoded?.bytes ?? [])]).toEqual([1, 2, 3]);
    expect(tiles[1]).toMatchObject({ encoded: null, state: "error" });
  });

  it("shows a selection at once and adopts what Python made of it once all edits are answered", async () => {
    const { fake, source } = await connected();
    source.select(Ranges.span(0, 3));
    source.select(Ranges.span(0, 500));
    expect(source.now.selection.pairs).toEqual([[0, 500]]);
    const [first, second] = fake.asked("select");
    expect(first).toMatchObject({ generation: 1, ranges: [[0, 3]] });
    fake.put("_selection", { generation: 1, ranges: [[0, 3]], outside: 0 });
    fake.receive({ op: "reply", request: first?.request });
    await settle();
    expect(source.now.selection.pairs, "the older echo does not undo the newer click").toEqual([[0, 500]]);
    fake.put("_selection", { generation: 1, ranges: [[0, 86]], outside: 0 });
    fake.receive({ op: "reply", request: second?.request });
    await settle();
    expect(source.now.selection.pairs).toEqual([[0, 86]]);
  });

  it("puts a refused selection back", async () => {
    const { fake, source } = await connected();
    source.select(Ranges.span(0, 3));
    fake.receive({ op: "error", request: fake.asked("select")[0]?.request, message: "No." });
    await settle();
    expect(source.now.selection.size).toBe(0);
  });

  it("takes a selection that Python made", async () => {
    const { fake, source } = await connected();
    fake.put("_selection", { generation: 1, ranges: [[4, 5]], outside: 2 });
    expect(source.now).toMatchObject({ outside: 2 });
    expect(source.now.selection.pairs).toEqual([[4, 5]]);
    fake.put("_result", result({ generation: 2, count: 3, total: 3 }));
    expect(source.now.selection.size, "a selection belongs to its result").toBe(0);
  });

  it("shows the last of two questions, whatever comes back first", async () => {
    const { fake, source } = await connected();
    source.search(words("ch"));
    source.search(words("chair"));
    expect(source.now.result.state).toBe("loading");
    const [first, second] = fake.asked("search");
    fake.put("_query", words("ch"));
    fake.put("_result", result({ generation: 2, count: 40, total: 40 }));
    fake.receive({ op: "reply", request: first?.request });
    await settle();
    expect(source.now.query.text).toBe("chair");
    expect(source.now.result.state).toBe("loading");
    fake.put("_query", words("chair"));
    fake.put("_result", result({ generation: 3, count: 12, total: 12 }));
    fake.receive({ op: "reply", request: second?.request });
    await settle();
    expect(source.now.result).toMatchObject({ generation: 3, state: "ready", count: 12 });
  });

  it("tells its listeners once for what changes together", async () => {
    const { fake, source } = await connected();
    const heard: string[][] = [];
    source.subscribe((changed) => heard.push([...changed].sort()));
    fake.put("_query", words("chair"));
    fake.put("_result", result({ generation: 2 }));
    await settle();
    expect(heard).toEqual([["query", "result"]]);
  });

  it("says that the kernel is slow, and that it is gone", async () => {
    const { fake, source } = await connected();
    source.knock();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(source.now.link).toBe("slow");
    fake.receive({ op: "reply", request: fake.asked("hello")[1]?.request });
    expect(source.now.link).toBe("ok");
    Object.assign(fake, { comm_live: false });
    fake.emit("comm_live_update");
    expect(source.now.link).toBe("lost");
    source.search(words("chair"));
    expect(fake.asked("search"), "a dead kernel is asked nothing, and what shows stays").toEqual([]);
    expect(source.now.result.state).toBe("ready");
  });

  it("says that the kernel is gone where it is told only that something changed", async () => {
    // anywidget's model hands the event on, and not the flag: nothing was said until somebody asked for something.
    const { fake, source } = await connected();
    fake.emit("comm_live_update");
    expect(source.now.link, "it lives: one has knocked").toBe("ok");
    expect(fake.asked("hello")).toHaveLength(2);
    fake.send = () => {
      throw new Error("Cannot send");
    };
    fake.emit("comm_live_update");
    expect(source.now.link).toBe("lost");
  });

  it("says that it waits for a cell, where Python said that it would", async () => {
    const { fake, source } = await connected();
    source.search(words("chair"));
    fake.receive({ op: "reply", request: fake.asked("search")[0]?.request, waits: true });
    source.search(words("table"));
    await vi.advanceTimersByTimeAsync(2_000);
    const knock = fake.asked("hello")[1];
    expect(source.now.link, "a service may be slow: first one knocks").toBe("ok");
    fake.receive({ op: "reply", request: knock?.request, waits: true });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(source.now.link).toBe("ok");
    await vi.advanceTimersByTimeAsync(2_000);
    fake.receive({ op: "news", standing: {} });
    expect(source.now.link, "two knocks, the second one not answered").toBe("busy");
    fake.receive({ op: "reply", request: fake.asked("hello")[2]?.request, waits: true });
    expect(source.now.link).toBe("ok");
  });

  it("lets Python know that choices can be heard while it waits for one", async () => {
    const { fake } = await connected();
    fake.put("_picking", true);
    fake.put("_picking", false);
    expect(fake.asked("hello").length).toBe(2);
  });

  it("leaves no listener behind", async () => {
    const { fake, source } = await connected();
    source.close();
    expect(fake.listeners).toBe(0);
  });
});
