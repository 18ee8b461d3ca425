import type { BodySink, BodySource, HeaderList } from "@proxy/http";
import { expect, test } from "vitest";
import { KeptBody } from "../src/retry/kept-body.ts";

/** A client's body that the test pushes by hand. */
class Source implements BodySource {
  readonly length: number | undefined;
  started = false;
  paused = false;
  cancelled = 0;
  sink: BodySink | undefined;

  constructor(length?: number) {
    this.length = length;
  }

  read(sink: BodySink): void {
    if (this.started) throw new Error("read twice");
    this.started = true;
    this.sink = sink;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  cancel(): void {
    this.started = true;
    this.cancelled++;
  }

  push(text: string): boolean | void {
    return this.sink?.onData(Buffer.from(text));
  }
}

class Sink implements BodySink {
  text = "";
  ended = 0;
  error: Error | undefined;
  pausing: BodySource | undefined;

  onData(chunk: Uint8Array): boolean {
    this.text += Buffer.from(chunk).toString();
    this.pausing?.pause();
    return true;
  }

  onEnd(_trailers: HeaderList | undefined): void {
    this.ended++;
  }

  onError(error: Error): void {
    this.error = error;
  }
}

function reading(view: BodySource): Sink {
  const sink = new Sink();
  view.read(sink);
  return sink;
}

test("each attempt gets the whole, however far the one before came", () => {
  const source = new Source();
  const body = new KeptBody(source, 100);
  const first = reading(body.view());
  source.push("one ");
  body.hold();
  expect(source.paused).toBe(true);
  const second = reading(body.view());
  expect([second.text, source.paused]).toEqual(["one ", false]);
  source.push("two");
  source.sink?.onEnd(undefined);
  expect([first.text, first.ended, second.text, second.ended]).toEqual(["one ", 0, "one two", 1]);
  const third = reading(body.view());
  expect([third.text, third.ended, body.isRepeatable]).toEqual(["one two", 1, true]);
  body.close();
  expect(source.cancelled).toBe(0);
});

test("more than is kept cannot be repeated, and is passed on all the same", () => {
  const source = new Source();
  const body = new KeptBody(source, 4);
  const sink = reading(body.view());
  source.push("1234");
  expect(body.isRepeatable).toBe(true);
  source.push("5");
  expect([body.isRepeatable, sink.text]).toEqual([false, "12345"]);
});

test("of a body that says it is larger nothing is kept; before it was begun it can go elsewhere", () => {
  const source = new Source(5);
  const body = new KeptBody(source, 4);
  body.view();
  expect([body.isRepeatable, body.view().length]).toEqual([true, 5]);
  reading(body.view());
  source.push("1");
  expect(body.isRepeatable).toBe(false);
});

test("many small chunks cost their bytes, not more", () => {
  const source = new Source();
  const body = new KeptBody(source, 65_536);
  reading(body.view());
  for (let i = 0; i < 60_000; i++) expect(source.push("x")).toBe(true);
  expect(reading(body.view()).text.length).toBe(60_000);
});

test("an attempt that waits gets the rest when it goes on", () => {
  const source = new Source();
  const body = new KeptBody(source, 100);
  reading(body.view());
  source.push("all");
  source.sink?.onEnd(undefined);
  const view = body.view();
  const sink = new Sink();
  sink.pausing = view;
  view.read(sink);
  expect([sink.text, sink.ended]).toEqual(["all", 0]);
  view.resume();
  expect([sink.text, sink.ended]).toEqual(["all", 1]);
});

test("an attempt that is over holds nobody back and hears nothing", () => {
  const source = new Source();
  const body = new KeptBody(source, 100);
  const old = body.view();
  const deaf = reading(old);
  const sink = reading(body.view());
  old.pause();
  expect(source.paused).toBe(false);
  old.cancel();
  old.resume();
  source.push("a");
  expect([deaf.text, sink.text, source.cancelled]).toEqual(["", "a", 0]);
});

test("a body given up is given up at its source once no attempt can follow", () => {
  const early = new Source();
  const body = new KeptBody(early, 100);
  const view = body.view();
  reading(view);
  view.cancel();
  expect([early.cancelled, early.paused]).toEqual([0, true]);
  body.settle();
  expect(early.cancelled).toBe(1);

  const late = new Source();
  const settled = new KeptBody(late, 100);
  const last = settled.view();
  reading(last);
  settled.settle();
  expect(late.cancelled).toBe(0);
  last.cancel();
  expect(late.cancelled).toBe(1);
});

test("what nobody reads any more is given up at the end; what nobody began is not touched", () => {
  const begun = new Source();
  const body = new KeptBody(begun, 100);
  reading(body.view());
  body.view();
  body.close();
  expect(begun.cancelled).toBe(1);
  const untouched = new Source();
  const other = new KeptBody(untouched, 100);
  other.view();
  other.close();
  expect([untouched.cancelled, untouched.started]).toEqual([0, false]);
});

test("a body that broke off cannot be repeated; an attempt under way hears of it", () => {
  const source = new Source();
  const body = new KeptBody(source, 100);
  const view = body.view();
  const sink = reading(view);
  source.sink?.onError(new Error("left"));
  expect([sink.error?.message, body.isRepeatable]).toEqual(["left", false]);
  expect(reading(body.view()).error?.message).toBe("left");
});

test("a body that a step read before is as started as it is", () => {
  const source = new Source();
  source.read(new Sink());
  const body = new KeptBody(source, 100);
  expect([body.view().started, body.isRepeatable]).toEqual([true, false]);
});
