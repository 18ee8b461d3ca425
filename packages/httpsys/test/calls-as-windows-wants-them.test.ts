/** What the calls of the front server say beyond what their effect shows in the double, and what becomes of answers that only Windows gives. */
import { afterEach, describe, expect, test } from "vitest";
import { HeaderList, type ExchangeHandler } from "@proxy/http";
// @boundaries-ignore the contract that all servers keep
import { RawClient } from "../../http/test/contract/raw-client.ts";
import { errorCode, flag } from "../src/abi/constants.ts";
import { structs } from "../src/abi/structs.ts";
import { encodeResponse } from "../src/encode-response.ts";
import { createHttpSysServer, HttpSysError, loadHttpSys, type FunctionName, type HttpSysLibrary, type HttpSysServer, type NativeArgument, type PendingCall } from "../src/index.ts";
import { whileInitialized } from "../src/initialized.ts";
import { Receiver } from "../src/server/receiver.ts";
import type { Listening } from "../src/index.ts";
import { double, freePort, missing } from "./double.ts";

const response = structs.HTTP_RESPONSE_V2;

describe.skipIf(missing !== undefined)(missing ?? "through the double,", () => {
  const servers: HttpSysServer[] = [];
  const clients: RawClient[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    for (const server of servers.splice(0)) await server.close(1000);
  });

  interface Sent {
    readonly name: FunctionName;
    readonly flags: number;
    readonly chunks: number;
  }

  /** A server whose sends are seen; `answer` may give their code in place of the double. */
  async function serve(handler: ExchangeHandler, answer: (sent: Sent) => number | undefined = () => undefined) {
    const real = await double();
    const sends: Sent[] = [];
    const faults: Error[] = [];
    const memories = new Map<bigint, Buffer>();
    const library: HttpSysLibrary = {
      ...real,
      memory(size) {
        const memory = real.memory(size);
        memories.set(memory.address, memory.buffer);
        return memory;
      },
      call(name: FunctionName, ...values: NativeArgument[]) {
        if (name !== "HttpSendHttpResponse" && name !== "HttpSendResponseEntityBody") return real.call(name, ...values);
        const isHead = name === "HttpSendHttpResponse";
        const chunks = isHead ? memories.get(values[3] as bigint)!.readUInt16LE(response.fields.EntityChunkCount[0]) : (values[3] as number);
        const sent = { name, flags: values[2] as number, chunks };
        sends.push(sent);
        return answer(sent) ?? real.call(name, ...values);
      },
    };
    const server = createHttpSysServer({ handler, library, onFault: (error) => faults.push(error) });
    const port = await freePort();
    await server.listen({ host: "127.0.0.1", port });
    servers.push(server);
    const client = await RawClient.open(port, {});
    clients.push(client);
    return { client, sends, faults };
  }

  const get = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
  const ok = { status: 200, headers: new HeaderList() };
  const { HTTP_SEND_RESPONSE_FLAG_BUFFER_DATA: buffered, HTTP_SEND_RESPONSE_FLAG_MORE_DATA: more, HTTP_SEND_RESPONSE_FLAG_OPAQUE: opaque, HTTP_SEND_RESPONSE_FLAG_DISCONNECT: disconnect } = flag;

  test("every send of a response asks HTTP.sys to buffer, as whoever sends one call at a time is to", async () => {
    const { client, sends } = await serve(({ response: sink }) => {
      sink.start(ok);
      sink.write(Buffer.from("one"));
      setImmediate(() => {
        sink.write(Buffer.from("two"));
        sink.end();
      });
    });
    client.write(get);
    expect((await client.readResponse()).body.toString()).toBe("onetwo");
    expect(sends.length).toBeGreaterThan(1);
    expect(sends.map(({ flags }) => flags & buffered)).toEqual(sends.map(() => buffered));
    expect(sends.map(({ flags }) => flags & ~buffered)).toEqual(sends.map((_, i) => (i === sends.length - 1 ? 0 : more)));
  });

  test("an upgrade says OPAQUE with its head, which goes alone, and with nothing that follows", async () => {
    const { client, sends } = await serve(({ features }) => {
      const tunnel = features.upgrade!.accept({ status: 101, headers: HeaderList.from([["Upgrade", "echo"]]) });
      tunnel.write(Buffer.from("early"));
      tunnel.read({ onData: (chunk) => void tunnel.write(Uint8Array.from(chunk)), onEnd: () => tunnel.end(), onError: () => undefined });
    });
    client.write("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    await client.readUntil("early");
    client.write("later");
    await client.readUntil("later");
    expect(sends[0]).toEqual({ name: "HttpSendHttpResponse", flags: opaque | more | buffered, chunks: 0 });
    for (const sent of sends.slice(1)) expect(sent).toEqual({ name: "HttpSendResponseEntityBody", flags: more | buffered, chunks: 1 });
    expect(sends.some(({ flags }) => (flags & disconnect) !== 0)).toBe(false);
  });

  test("what HTTP.sys refuses to send is told as a fault, and the connection ends", async () => {
    const { client, faults } = await serve(({ response: sink }) => sink.send(ok, "x"), () => errorCode.ERROR_INVALID_PARAMETER);
    client.write(get);
    await client.closed;
    expect(faults).toEqual([expect.objectContaining({ errorCode: 87, call: "HttpSendHttpResponse" })]);
  });

  test("a client that is gone when its answer is sent is no fault", async () => {
    const gone = Promise.withResolvers<Error>();
    const { client, faults } = await serve(
      (exchange) => {
        exchange.onClientGone(gone.resolve);
        exchange.response.send(ok, "x");
      },
      () => errorCode.ERROR_NETNAME_DELETED,
    );
    client.write(get);
    expect((await gone.promise).cause).toBeInstanceOf(HttpSysError);
    expect(faults).toEqual([]);
  });

  test.each([
    ["a name of 70,000 characters", HeaderList.from([[`x${"a".repeat(70_000)}`, "1"]])],
    ["a value of 70,000 characters", HeaderList.from([["x", "a".repeat(70_000)]])],
    ["70,000 lines", HeaderList.from(Array.from({ length: 70_000 }, () => ["x", ""] as const))],
  ])("a response with %s, which no USHORT can tell, is refused before anything is sent", async (_what, headers) => {
    const { client, faults } = await serve(({ response: sink }) => sink.send({ status: 200, headers }, "x"));
    client.write(get);
    expect((await client.readResponse()).status).toBe(500);
    expect(faults).toEqual([expect.objectContaining({ name: "ExchangeStateError" })]);
  });

  test("a reason that no USHORT can tell gives way to the usual one", async () => {
    const { client } = await serve(({ response: sink }) => sink.send({ status: 201, reason: "a".repeat(70_000), headers: new HeaderList() }, "x"));
    client.write(get);
    expect(await client.readResponse()).toMatchObject({ status: 201, reason: "Created" });
  });

  test("repeated known fields are to keep their order", async () => {
    const { buffer } = encodeResponse(await double(), { status: 200, reason: "OK", headers: ["Set-Cookie", "a", "Set-Cookie", "b"] }, []);
    const many = response.size + structs.HTTP_RESPONSE_INFO.size;
    expect(buffer.readUInt32LE(many + structs.HTTP_MULTIPLE_KNOWN_HEADERS.fields.Flags[0])).toBe(flag.HTTP_RESPONSE_INFO_FLAGS_PRESERVE_ORDER);
  });

  test.each(["1", "0", "", "many"])("a pool of one thread (UV_THREADPOOL_SIZE=%j) is refused: the wait for completions would take it", async (size) => {
    const { path } = await double();
    const before = process.env["UV_THREADPOOL_SIZE"];
    process.env["UV_THREADPOOL_SIZE"] = size;
    try {
      await expect(loadHttpSys({ path })).rejects.toMatchObject({ code: "HTTPSYS_UNAVAILABLE", message: expect.stringContaining("set it to 2 or more") as string });
      process.env["UV_THREADPOOL_SIZE"] = "2";
      expect((await loadHttpSys({ path })).path).toBe(path);
    } finally {
      if (before === undefined) delete process.env["UV_THREADPOOL_SIZE"];
      else process.env["UV_THREADPOOL_SIZE"] = before;
    }
  });
});

test.each([errorCode.ERROR_SERVICE_DISABLED, errorCode.ERROR_SERVICE_NOT_ACTIVE])("an HTTP service that does not run (%i) is named, with the commands that start it", (code) => {
  const library = { call: () => code, why: () => undefined } as unknown as HttpSysLibrary;
  expect(() => whileInitialized(library, () => undefined)).toThrow(/HttpInitialize failed with \d+ ERROR_SERVICE_\w+: the HTTP service of this Windows does not run; as administrator: sc\.exe config http/);
});

test("a process of 32 bits is refused: structures and handles are those of 64", async () => {
  const arch = Object.getOwnPropertyDescriptor(process, "arch") as PropertyDescriptor;
  Object.defineProperty(process, "arch", { ...arch, value: "ia32" });
  try {
    await expect(loadHttpSys({ path: "httpapi.dll" })).rejects.toThrow("from 64-bit processes only; this Node is for ia32");
  } finally {
    Object.defineProperty(process, "arch", arch);
  }
});

describe("a receive", () => {
  /** A receiver whose calls end as they are told to. */
  function receiver() {
    const ids: bigint[] = [];
    const faults: HttpSysError[] = [];
    let ended = 0;
    let pending: PendingCall | undefined;
    let buffer = Buffer.alloc(0);
    let submitted = Promise.withResolvers<void>();
    const library = {
      memory: (size: number) => ({ buffer: (buffer = Buffer.alloc(size)), address: 0n }),
      call(_name: string, _queue: bigint, id: bigint) {
        ids.push(id);
        return errorCode.ERROR_IO_PENDING;
      },
    };
    const completions = {
      submit(call: PendingCall) {
        pending = call;
        call.start(0n);
        submitted.resolve();
      },
    };
    const it = new Receiver({ library, completions, queue: 1n } as unknown as Listening, {
      received: () => undefined,
      fault: (error) => void faults.push(error as HttpSysError),
      ended: () => void ended++,
    });
    return {
      it, ids, faults,
      ended: () => ended,
      /** Ends the call, with the id of a request in the buffer; resolves when there is another call. */
      async end(code: number, id = 0n) {
        submitted = Promise.withResolvers<void>();
        buffer.writeBigUInt64LE(id, 16);
        pending!.completed(code, 0);
        await submitted.promise;
      },
      endLast: (code: number) => pending!.completed(code, 0),
    };
  }

  test.each([
    ["another process has taken", errorCode.ERROR_INVALID_PARAMETER],
    ["whose client has gone", errorCode.ERROR_CONNECTION_INVALID],
  ])("of a large request that %s begins anew, without a fault", async (_what, code) => {
    const { ids, faults, end } = receiver();
    await end(errorCode.ERROR_MORE_DATA, 77n);
    await end(code);
    expect([ids, faults]).toEqual([[0n, 77n, 0n], []]);
  });

  test.each([errorCode.ERROR_OPERATION_ABORTED, errorCode.ERROR_INVALID_HANDLE])("that ends with %i though nobody closed the queue is told as a fault", (code) => {
    const { faults, ended, endLast } = receiver();
    endLast(code);
    expect([ended(), faults.map(({ errorCode: each }) => each)]).toEqual([1, [code]]);
  });

  test.each([errorCode.ERROR_OPERATION_ABORTED, errorCode.ERROR_HANDLE_EOF])("that was stopped ends without a fault, whatever the code (%i)", (code) => {
    const { it, faults, ended, endLast } = receiver();
    it.stop();
    endLast(code);
    expect([ended(), faults]).toEqual([1, []]);
  });

  test("that fails at once again and again lets others run", async () => {
    const { end, ids } = receiver();
    for (let i = 0; i < 100; i++) await end(errorCode.ERROR_NETNAME_DELETED);
    expect(ids).toHaveLength(101);
  });
});
