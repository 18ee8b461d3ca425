import { once } from "node:events";
import { createRequire } from "node:module";
import { connect, type Socket } from "node:net";
import { stopHandle } from "@proxy/http";
import { frame, frameKind, FrameReader, protocolVersion } from "../src/unix/frames.ts";

export interface Heard {
  readonly kind: number;
  readonly id: number;
  readonly payload: string;
}

/** A gateway that says and sends what it likes, once it is known. */
export interface FalseGateway {
  readonly door: Socket;
  readonly carrier: Socket;
  /** The next frame that the receiver says. */
  next(): Promise<Heard>;
}

export function hello(more: object): Buffer {
  return frame(frameKind.hello, 0, Buffer.from(JSON.stringify({ version: protocolVersion, ...more })));
}

/** A connection to the receiver's socket, and what comes over it. */
export async function openDoor(path: string): Promise<{ readonly door: Socket; next(): Promise<Heard> }> {
  const door = connect(path);
  door.on("error", () => undefined);
  await once(door, "connect");
  const frames = new FrameReader();
  frames.trust();
  const heard: Heard[] = [];
  let tell: () => void = () => undefined;
  door.on("data", (chunk: Buffer) => {
    frames.read(chunk, (kind, id, bytes) => void heard.push({ kind, id, payload: bytes.toString() }));
    tell();
  });
  return {
    door,
    async next() {
      while (heard.length === 0) await new Promise<void>((resolve) => (tell = resolve));
      return heard.shift()!;
    },
  };
}

/** A connection that shows `token`; Node reads nothing of it. */
export async function openCarrier(path: string, token: string): Promise<Socket> {
  const carrier = connect(path);
  carrier.pause();
  carrier.on("error", () => undefined);
  await once(carrier, "connect");
  stopHandle(carrier);
  carrier.write(hello({ token }));
  return carrier;
}

export async function attach(path: string): Promise<FalseGateway> {
  const { door, next } = await openDoor(path);
  door.write(hello({}));
  const { token } = JSON.parse((await next()).payload) as { token: string };
  const carrier = await openCarrier(path, token);
  const { kind } = await next();
  if (kind !== frameKind.ready) throw new Error(`frame ${kind} instead of ready`);
  return { door, carrier, next };
}

interface Koffi {
  load(path: null): { func(prototype: string): (...values: unknown[]) => number };
  address(memory: Uint8Array): bigint;
}

/** One message with a byte and so many descriptors, which no gateway sends. Linux for 64 bits. */
export function sendDescriptors(channel: number, descriptors: readonly number[]): void {
  const koffi = createRequire(import.meta.url)("koffi") as Koffi;
  const sendmsg = koffi.load(null).func("int64_t sendmsg(int, void *, int)");
  const [byte, vector, header, control] = [1, 16, 56, 16 + descriptors.length * 4].map((size) => Buffer.alloc(size)) as [Buffer, Buffer, Buffer, Buffer];
  vector.writeBigUInt64LE(koffi.address(byte), 0);
  vector.writeBigUInt64LE(1n, 8);
  header.writeBigUInt64LE(koffi.address(vector), 16);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(koffi.address(control), 32);
  header.writeBigUInt64LE(BigInt(control.length), 40);
  control.writeBigUInt64LE(BigInt(control.length), 0);
  // SOL_SOCKET, SCM_RIGHTS
  control.writeInt32LE(1, 8);
  control.writeInt32LE(1, 12);
  descriptors.forEach((fd, i) => control.writeInt32LE(fd, 16 + i * 4));
  const sent = sendmsg(channel, header, 0x4040);
  if (sent !== 1) throw new Error(`sendmsg gave ${sent}`);
  if (byte.length + vector.length + control.length === 0) throw new Error("never: named so that they live until here");
}
