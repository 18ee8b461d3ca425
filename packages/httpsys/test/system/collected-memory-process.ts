/**
 * Forces collections between the start and the end of every kind of overlapped call: `collected-memory-process.ts <library>`, with
 * `--expose-gc`. Prints as JSON how many calls of each kind were pending at a collection, and which of their memory was gone after it.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { HeaderList, type Exchange } from "@proxy/http";
import { completionsOf, createHttpSysServer, loadHttpSys, type HttpSysLibrary, type NativeArgument } from "../../src/index.ts";
import { freePort, liveObjects } from "../double.ts";

const [path] = process.argv.slice(2) as [string];
const native = await loadHttpSys({ path });

/** Memory that native code was told of, by its address. */
const known = new Map<bigint, WeakRef<ArrayBufferLike>>();
/** Overlapped calls that have begun and not ended: their kind, and the addresses that they were given. */
const pending = new Map<bigint, { readonly kind: string; readonly addresses: readonly bigint[] }>();
const seen: Record<string, number> = {};
const gone: string[] = [];

const watch = (bytes: Uint8Array, address: bigint): void => void known.set(address, new WeakRef(bytes.buffer));
/** Pieces whose addresses stand in the memory of the next call. */
let pieces: bigint[] = [];
const library: HttpSysLibrary = {
  ...native,
  memory(size) {
    const memory = native.memory(size);
    watch(memory.buffer, memory.address);
    return memory;
  },
  addressOf(bytes) {
    const address = native.addressOf(bytes);
    watch(bytes, address);
    pieces.push(address);
    return address;
  },
  call(name, ...values: NativeArgument[]) {
    const code = native.call(name, ...values);
    const given = pieces;
    pieces = [];
    note(name, code, values, given);
    return code;
  },
  find(name) {
    const found = native.find(name);
    return found === undefined
      ? undefined
      : (...values) => {
          const code = found(...values);
          note(name, code, values, []);
          return code;
        };
  },
  wait(port, entries, most, removed, timeout, done) {
    pending.set(0n, { kind: "GetQueuedCompletionStatusEx", addresses: [entries.address, removed.address] });
    native.wait(port, entries, most, removed, timeout, () => {
      const { buffer } = entries;
      for (let i = 0; i < removed.buffer.readUInt32LE(0); i++) pending.delete(buffer.readBigUInt64LE(i * 32 + 8));
      done();
    });
  },
};

function note(kind: string, code: number, values: readonly NativeArgument[], given: readonly bigint[]): void {
  if (code !== 997) return;
  const addresses = [...values, ...given].filter((value): value is bigint => typeof value === "bigint" && known.has(value));
  // The OVERLAPPED is the last address of every such call.
  const overlapped = values.filter((value): value is bigint => typeof value === "bigint" && known.has(value)).at(-1);
  if (overlapped !== undefined) pending.set(overlapped, { kind, addresses });
}

/** Collects, lets others take the place of what was freed, and looks at what pending calls refer to. */
function collect(): void {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  for (let i = 0; i < 200; i++) Buffer.alloc(16_384 + i * 64, 0xdd);
  for (const { kind, addresses } of pending.values()) {
    seen[kind] = (seen[kind] ?? 0) + 1;
    for (const address of addresses) if (known.get(address)?.deref() === undefined) gone.push(kind);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const sum = (chunks: readonly Uint8Array[]): string => createHash("sha256").update(Buffer.concat(chunks)).digest("hex");
const block = (i: number): Buffer => Buffer.alloc(65_536, String.fromCharCode(65 + (i % 26)));
const wanted = sum(Array.from({ length: 160 }, (_, i) => block(i)));
const checks: Record<string, boolean> = {};

function collected(exchange: Exchange): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    exchange.body?.read({ onData: (chunk) => void chunks.push(Buffer.from(chunk)), onEnd: () => resolve(Buffer.concat(chunks)), onError: reject });
  });
}

const server = createHttpSysServer({
  library,
  limits: { maxResponseBufferSize: 64 << 20 },
  handler: async (exchange) => {
    const { path: asked } = exchange.request;
    if (asked === "/body") {
      const body = collected(exchange);
      await turn();
      collect();
      exchange.response.send({ status: 200, headers: new HeaderList() }, (await body).toString());
    } else if (asked === "/large") {
      exchange.response.start({ status: 200, headers: HeaderList.from([["Content-Length", String(160 * 65_536)]]) });
      for (let i = 0; i < 160; i++) exchange.response.write(block(i));
      exchange.response.end();
      await turn();
      collect();
    } else if (asked === "/certificate") {
      const certificate = new Promise<Uint8Array | undefined>((resolve) => {
        exchange.features.clientCertificate?.receive((bytes) => resolve(bytes));
      });
      collect();
      exchange.response.start({ status: 200, headers: new HeaderList() });
      exchange.response.flush();
      exchange.response.write(Buffer.from(String((await certificate)?.every((byte) => byte === 0x5a))));
      exchange.response.end();
    } else {
      const tunnel = exchange.features.upgrade?.accept({ status: 101, headers: HeaderList.from([["Upgrade", "echo"]]) });
      tunnel?.read({
        onData: (chunk) => {
          tunnel.write(Uint8Array.from(chunk));
          void turn().then(collect);
        },
        onEnd: () => tunnel.end(),
        onError: () => undefined,
      });
    }
  },
});
const port = await freePort();
await server.listen({ host: "127.0.0.1", port });
await turn();
collect();

async function client(text: string): Promise<{ readonly socket: Socket; readonly received: Buffer[]; until(end: (all: Buffer) => boolean): Promise<Buffer> }> {
  const socket = connect(port, "127.0.0.1");
  const received: Buffer[] = [];
  await once(socket, "connect");
  socket.write(text);
  return {
    socket,
    received,
    async until(end) {
      while (!end(Buffer.concat(received))) received.push(((await once(socket, "data")) as [Buffer])[0]);
      return Buffer.concat(received);
    },
  };
}

{
  const { socket, until } = await client("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n");
  while ((seen["HttpReceiveRequestEntityBody"] ?? 0) === 0) await turn();
  socket.write("x".repeat(200_000));
  const text = (await until((all) => all.includes("x".repeat(200_000)))).toString();
  checks["body"] = text.startsWith("HTTP/1.1 200");
  socket.destroy();
}
{
  const { socket, until, received } = await client("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  socket.pause();
  while ((seen["HttpSendHttpResponse"] ?? 0) + (seen["HttpSendResponseEntityBody"] ?? 0) === 0) await turn();
  collect();
  socket.resume();
  const all = await until((bytes) => bytes.length >= 160 * 65_536 && bytes.length - bytes.indexOf("\r\n\r\n") - 4 === 160 * 65_536);
  checks["response"] = sum([all.subarray(all.indexOf("\r\n\r\n") + 4)]) === wanted && received.length > 0;
  socket.destroy();
}
{
  const { socket, until } = await client(`HTTPSIM tls=0x2000 slow=1 later=${"5a".repeat(3000)}\r\nGET /certificate HTTP/1.1\r\nHost: a\r\n\r\n`);
  await until((all) => all.includes("\r\n\r\n"));
  collect();
  socket.write("C");
  checks["certificate"] = (await until((all) => all.includes("0\r\n\r\n"))).includes("true");
  socket.destroy();
}
{
  const { socket, until } = await client("GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  await until((all) => all.includes("\r\n\r\n"));
  collect();
  socket.write("early and late");
  checks["tunnel"] = (await until((all) => all.includes("early and late"))).length > 0;
  socket.destroy();
}
await server.close(5000);
while (Object.values(liveObjects(path)).some((count) => count > 0)) await turn();
process.stdout.write(`${JSON.stringify({ seen, gone, checks, pending: completionsOf(library).pending })}\n`);
process.exit(0);
