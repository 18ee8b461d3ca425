/** Frames of a peer, however their bytes are cut. */
import { expect, test } from "vitest";
import { CheckedFrames, type FrameEvents } from "../../src/engine/http2/checked-frames.ts";

function frame(type: number, flags: number, stream: number, hex: string): Buffer {
  const payload = Buffer.from(hex.replaceAll(" ", ""), "hex");
  return Buffer.concat([Buffer.from([0, payload.length >>> 8, payload.length & 255, type, flags, 0, 0, 0, stream]), payload]);
}

class Recorder implements FrameEvents {
  readonly told: string[] = [];
  #data = "";

  dataBegins(id: number, length: number, endStream: boolean): void {
    this.#data = `data ${id} ${length} ${endStream} `;
  }
  dataBytes(bytes: Buffer, from: number, to: number): void {
    this.#data += bytes.toString("hex", from, to);
  }
  dataEnds(): void {
    this.told.push(this.#data);
  }
  headers(id: number, endStream: boolean, dependsOnItself: boolean, bytes: Buffer, from: number, to: number): void {
    this.told.push(`headers ${id} ${endStream} ${dependsOnItself} ${bytes.toString("hex", from, to)}`);
  }
  reset(id: number, code: number): void {
    this.told.push(`reset ${id} ${code}`);
  }
  settings(bytes: Buffer, from: number, to: number): void {
    this.told.push(`settings ${bytes.toString("hex", from, to)}`);
  }
  settingsAcknowledged(): void {
    this.told.push("settings acknowledged");
  }
  ping(bytes: Buffer, from: number): void {
    this.told.push(`ping ${bytes.toString("hex", from, from + 8)}`);
  }
  pingAnswered(bytes: Buffer, from: number): void {
    this.told.push(`ping answered ${bytes.toString("hex", from, from + 8)}`);
  }
  goaway(last: number, code: number): void {
    this.told.push(`goaway ${last} ${code}`);
  }
  windowUpdate(id: number, increment: number): void {
    this.told.push(`window ${id} ${increment}`);
  }
  nothing(size: number): void {
    this.told.push(`nothing ${size}`);
  }
  fault(id: number, code: number): void {
    this.told.push(`fault ${id} ${code}`);
  }
}

const settings = frame(4, 0, 0, "");

function read(bytes: Buffer, cut: number): string[] {
  const recorder = new Recorder();
  const frames = new CheckedFrames(recorder, 100);
  frames.read(settings, 0, settings.length);
  recorder.told.length = 0;
  for (let at = 0; at < bytes.length; at += cut) frames.read(bytes, at, Math.min(at + cut, bytes.length));
  return recorder.told;
}

const frames: readonly (readonly [Buffer, string])[] = [
  [frame(4, 0, 0, "000400010000"), "settings 000400010000"],
  [frame(4, 1, 0, ""), "settings acknowledged"],
  [frame(1, 4, 1, "828684"), "headers 1 false false 828684"],
  [frame(1, 0x2d, 3, "02 00000001 10 8286 0000"), "headers 3 true false 8286"],
  [frame(1, 0x24, 5, "00000005 10 82"), "headers 5 false true 82"],
  [frame(0, 0, 1, "616263"), "data 1 3 false 616263"],
  [frame(0, 9, 1, "026162630000"), "data 1 6 true 616263"],
  [frame(0, 8, 1, "0100"), "data 1 2 false "],
  [frame(0, 1, 1, ""), "data 1 0 true "],
  [frame(8, 0, 0, "00000010"), "window 0 16"],
  [frame(3, 0, 1, "00000008"), "reset 1 8"],
  [frame(6, 0, 0, "0102030405060708"), "ping 0102030405060708"],
  [frame(6, 1, 0, "0102030405060708"), "ping answered 0102030405060708"],
  [frame(7, 0, 0, "00000001 00000002"), "goaway 1 2"],
  [frame(2, 0, 7, "00000001 10"), "nothing 5"],
  [frame(16, 0, 7, "0001"), "nothing 2"],
  [Buffer.concat([frame(1, 1, 9, "82"), frame(9, 0, 9, "86"), frame(9, 4, 9, "84")]), "headers 9 true false 828684"],
];

test.each([1, 2, 7, 9, 10, 13, 1000])("cut into pieces of %d bytes are the same frames", (cut) => {
  expect(read(Buffer.concat(frames.map(([bytes]) => bytes)), cut)).toEqual(frames.map(([, told]) => told));
});

test.each([
  ["a frame larger than announced", Buffer.from([0, 0x40, 1, 0, 0, 0, 0, 0, 1]), 6],
  ["DATA without a stream", frame(0, 0, 0, "61"), 1],
  ["HEADERS without a stream", frame(1, 4, 0, "82"), 1],
  ["padding longer than DATA", frame(0, 8, 1, "0261"), 1],
  ["padding longer than HEADERS", frame(1, 12, 1, "0282"), 1],
  ["a padded frame without room for that", frame(0, 8, 1, ""), 1],
  ["HEADERS without room for a priority", frame(1, 36, 1, "00000001"), 6],
  ["RST_STREAM without a stream", frame(3, 0, 0, "00000008"), 1],
  ["RST_STREAM of another size", frame(3, 0, 1, "000008"), 6],
  ["SETTINGS on a stream", frame(4, 0, 1, ""), 1],
  ["SETTINGS of another size", frame(4, 0, 0, "0004000100"), 6],
  ["an acknowledgement with settings", frame(4, 1, 0, "000400010000"), 6],
  ["PING on a stream", frame(6, 0, 1, "0102030405060708"), 1],
  ["PING of another size", frame(6, 0, 0, "01"), 6],
  ["GOAWAY on a stream", frame(7, 0, 1, "0000000000000000"), 1],
  ["GOAWAY of another size", frame(7, 0, 0, "00000000"), 6],
  ["WINDOW_UPDATE of another size", frame(8, 0, 0, "000010"), 6],
  ["PRIORITY without a stream", frame(2, 0, 0, "0000000110"), 1],
  ["PRIORITY of a stream on itself", frame(2, 0, 3, "0000000310"), 1],
  ["PUSH_PROMISE", frame(5, 4, 1, "0000000282"), 1],
  ["CONTINUATION without HEADERS", frame(9, 4, 1, "82"), 1],
  ["a frame within a header block", Buffer.concat([frame(1, 0, 1, "82"), frame(6, 0, 0, "0102030405060708")]), 1],
  ["another stream's CONTINUATION", Buffer.concat([frame(1, 0, 1, "82"), frame(9, 4, 3, "82")]), 1],
  ["a header block that is too large", Buffer.concat([frame(1, 0, 1, "82".repeat(60)), frame(9, 4, 1, "82".repeat(60))]), 11],
  ["a header block of too many parts", Buffer.concat([frame(1, 0, 1, "82"), ...Array.from({ length: 17 }, () => frame(9, 0, 1, "82"))]), 11],
])("%s ends the connection, once", (_what, bytes, code) => {
  const told = read(Buffer.concat([bytes, frame(6, 0, 0, "0102030405060708")]), 1000);

  expect(told).toEqual([`fault 0 ${code}`]);
});

test("PRIORITY of another size is a fault of its stream", () => {
  expect(read(frame(2, 0, 3, "00000001"), 100)).toEqual(["fault 3 6"]);
});

test.each([
  ["PING", frame(6, 0, 0, "0102030405060708")],
  ["an acknowledgement", frame(4, 1, 0, "")],
  ["DATA", frame(0, 0, 1, "61")],
  ["an unknown frame", frame(16, 0, 1, "61")],
])("a client that begins with %s speaks something else", (_what, bytes) => {
  const recorder = new Recorder();
  new CheckedFrames(recorder, 100).read(bytes, 0, bytes.length);
  expect(recorder.told).toEqual(["fault 0 1"]);
});
