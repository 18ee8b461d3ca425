import { connect } from "node:net";
import { once } from "node:events";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { errorCode as code, flag, serverProperty } from "../src/abi/constants.ts";
import { structs } from "../src/abi/structs.ts";
import { wideText, type HttpSysLibrary, type NativeArgument } from "../src/binding.ts";
import type { QueueHandle, UrlGroupId } from "../src/index.ts";
import { bindingInfo } from "../src/properties.ts";
import { parseUrlPrefix, startListening, type Listening } from "../src/index.ts";
import { double, freePort, liveObjects, missing } from "./double.ts";

const unconfirmed = "(an assumption: only Windows can confirm it)";

describe.skipIf(missing !== undefined)(missing ?? "the double refuses, and says why:", () => {
  let library: HttpSysLibrary;
  const open: Listening[] = [];
  const clients: ReturnType<typeof connect>[] = [];
  beforeAll(async () => {
    library = await double();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    for (const listening of open.splice(0)) listening.close();
    await expect.poll(() => Object.entries(liveObjects()).filter(([, count]) => count !== 0)).toEqual([]);
  });

  async function listen(name?: string): Promise<Listening & { port: number }> {
    const port = await freePort();
    const listening = startListening(library, { prefixes: [parseUrlPrefix(`http://+:${port}/`)], queue: { name } });
    open.push(listening);
    return { ...listening, port };
  }

  function refused(expected: number, why: string, name: Parameters<HttpSysLibrary["call"]>[0], ...values: NativeArgument[]): void {
    expect([library.call(name, ...values), library.why()]).toEqual([expected, expect.stringContaining(why)]);
  }

  const out = () => library.memory(8);

  test("a version that is not 2.0", () => {
    refused(code.ERROR_REVISION_MISMATCH, "not 2.0", "HttpInitialize", 1, 1, 0n);
  });

  test("calls before HttpInitialize", () => {
    refused(code.ERROR_DLL_INIT_FAILED, "HttpInitialize", "HttpCreateServerSession", 2, out().buffer, 0);
  });

  test("a queue name that is taken, absent or no name", async () => {
    const name = `rules-${process.pid}`;
    await listen(name);
    const text = (value: string) => wideText(library, value).buffer;
    refused(code.ERROR_ALREADY_EXISTS, "a queue has this name", "HttpCreateRequestQueue", 2, text(name.toUpperCase()), 0n, 0, out().buffer);
    refused(code.ERROR_FILE_NOT_FOUND, "no queue has this name", "HttpCreateRequestQueue", 2, text("absent"), 0n, 1, out().buffer);
    refused(code.ERROR_INVALID_NAME, "without slash", "HttpCreateRequestQueue", 2, text("a\\b"), 0n, 0, out().buffer);
    refused(code.ERROR_INVALID_PARAMETER, "OPEN_EXISTING without a name", "HttpCreateRequestQueue", 2, 0n, 0n, 1, out().buffer);
    refused(code.ERROR_INVALID_PARAMETER, "security attributes", "HttpCreateRequestQueue", 2, text(name), 8n, 1, out().buffer);
    refused(code.ERROR_INVALID_PARAMETER, "DELEGATION without OPEN_EXISTING", "HttpCreateRequestQueue", 2, text("new"), 0n, 8, out().buffer);
  });

  test(`a prefix without a trailing slash ${unconfirmed}`, async () => {
    const { urlGroup } = await listen();
    refused(code.ERROR_INVALID_PARAMETER, "trailing slash", "HttpAddUrlToUrlGroup", urlGroup, wideText(library, "http://+:8080/a").buffer, 0n, 0);
  });

  test("a prefix that is registered", async () => {
    const { urlGroup, port } = await listen();
    refused(code.ERROR_ALREADY_EXISTS, "registered already", "HttpAddUrlToUrlGroup", urlGroup, wideText(library, `http://+:${port}/`).buffer, 0n, 0);
  });

  test("handles and ids that are none", async () => {
    const { completions } = await listen();
    expect(completions.pending).toBe(0);
    refused(code.ERROR_INVALID_HANDLE, "no queue", "HttpShutdownRequestQueue", 3n);
    refused(code.ERROR_INVALID_HANDLE, "no queue", "HttpCloseRequestQueue", 3n);
    refused(code.ERROR_INVALID_PARAMETER, "no URL group", "HttpCloseUrlGroup", 3n);
    refused(code.ERROR_INVALID_PARAMETER, "no server session", "HttpCloseServerSession", 3n);
  });

  test("properties of the wrong size or value", async () => {
    const { urlGroup, queue } = await listen();
    const info = bindingInfo(library, queue, true);
    refused(code.ERROR_INVALID_PARAMETER, "HTTP_BINDING_INFO", "HttpSetUrlGroupProperty", urlGroup, 7, info.buffer, 8);
    refused(code.ERROR_INVALID_PARAMETER, "HTTP_TIMEOUT_LIMIT_INFO", "HttpSetUrlGroupProperty", urlGroup, 3, info.buffer, 16);
    refused(code.ERROR_INVALID_PARAMETER, "length 0", "HttpSetRequestQueueProperty", queue, 4, library.memory(4).buffer, 4, 0, 0n);
    refused(code.ERROR_INVALID_PARAMETER, "not a ULONG", "HttpSetRequestQueueProperty", queue, 4, out().buffer, 8, 0, 0n);
  });

  test("buffers that are missing, small or not aligned, and BytesReturned beside an OVERLAPPED", async () => {
    const { queue } = await listen();
    const memory = library.memory(2048);
    refused(code.ERROR_INVALID_PARAMETER, "no buffer", "HttpReceiveHttpRequest", queue, 0n, 0, 0n, 2048, 0n, 0n);
    refused(code.ERROR_NOACCESS, "not aligned", "HttpReceiveHttpRequest", queue, 0n, 0, memory.address + 4n, 1024, 0n, 0n);
    refused(code.ERROR_INSUFFICIENT_BUFFER, "smaller than HTTP_REQUEST", "HttpReceiveHttpRequest", queue, 0n, 0, memory.address, 800, 0n, 0n);
    refused(code.ERROR_INVALID_PARAMETER, "BytesReturned", "HttpReceiveHttpRequest", queue, 0n, 0, memory.address, 2048, out().buffer, memory.address);
    refused(code.ERROR_NOACCESS, "OVERLAPPED", "HttpReceiveHttpRequest", queue, 0n, 0, memory.address, 2048, 0n, memory.address + 4n);
    refused(code.ERROR_CONNECTION_INVALID, "no request", "HttpReceiveHttpRequest", queue, 99n, 0, memory.address, 2048, 0n, 0n);
    refused(code.ERROR_CONNECTION_INVALID, "no request", "HttpReceiveRequestEntityBody", queue, 99n, 0, memory.address, 64, 0n, 0n);
    refused(code.ERROR_CONNECTION_INVALID, "no request", "HttpCancelHttpRequest", queue, 99n, 0n);
  });

  describe("delegation:", () => {
    interface Bench {
      readonly source: Listening & { port: number };
      readonly target: QueueHandle;
      readonly id: bigint;
    }

    /** A request that waits to be delegated, received by a blocking call. */
    async function bench(withRule = true): Promise<Bench> {
      const name = `target-${process.pid}`;
      await listen(name);
      const source = await listen();
      const handle = out();
      library.require("HttpCreateRequestQueue", 2, wideText(library, name).buffer, 0n, 9, handle.buffer);
      const target = handle.buffer.readBigUInt64LE(0) as QueueHandle;
      open.push({ ...source, close: () => void library.call("HttpCloseRequestQueue", target) });
      if (withRule) setRule(source.urlGroup, target, true);
      const client = connect(source.port, "127.0.0.1");
      client.on("error", () => undefined);
      clients.push(client);
      await once(client, "connect");
      client.write("POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi");
      const memory = library.memory(2048);
      expect(library.call("HttpReceiveHttpRequest", source.queue, 0n, 0, memory.address, 2048, out().buffer, 0n)).toBe(0);
      return { source, target, id: memory.buffer.readBigUInt64LE(16) };
    }

    function setRule(group: UrlGroupId, target: QueueHandle, present: boolean): void {
      const info = bindingInfo(library, target, present);
      library.require("HttpSetUrlGroupProperty", group, serverProperty.HttpServerDelegationProperty, info.buffer, info.buffer.length);
    }

    const prefix = "http://localhost:8080/";

    function delegate(
      { source, target, id }: Bench,
      wrong: { text?: string; bytes?: number; propertyId?: number; count?: number; group?: bigint; id?: bigint; target?: bigint } = {},
    ): [number, string | undefined] {
      const text = wideText(library, wrong.text ?? prefix);
      const { size, fields } = structs.HTTP_DELEGATE_REQUEST_PROPERTY_INFO;
      const info = library.memory(size);
      info.buffer.writeInt32LE(wrong.propertyId ?? 1, fields.PropertyId[0]);
      info.buffer.writeUInt32LE(wrong.bytes ?? text.buffer.length - 2, fields.PropertyInfoLength[0]);
      info.buffer.writeBigUInt64LE(text.address, fields.PropertyInfo[0]);
      const result = library.call("HttpDelegateRequestEx", source.queue, wrong.target ?? target, wrong.id ?? id, wrong.group ?? 0n, wrong.count ?? 1, info.buffer);
      return [result, text.buffer.length > 0 ? library.why() : undefined];
    }

    test("every wrong parameter, each with its reason, and then takes the right ones", async () => {
      const made = await bench();
      const says = (why: string) => [code.ERROR_INVALID_PARAMETER, expect.stringContaining(why)];
      expect(delegate(made, { bytes: prefix.length })).toEqual(says("characters were counted"));
      expect(delegate(made, { bytes: prefix.length * 2 + 2 })).toEqual(says("counts the NUL"));
      expect(delegate(made, { bytes: 3 })).toEqual(says("no length of UTF-16 text"));
      expect(delegate(made, { propertyId: 0 })).toEqual(says("not DelegateUrl"));
      expect(delegate(made, { count: 0 })).toEqual(says("PropertyInfoSetSize is 0"));
      expect(delegate(made, { count: 2 })).toEqual(says("PropertyInfoSetSize is 2"));
      expect(delegate(made, { group: 5n })).toEqual(says("DelegateUrlGroupId"));
      expect(delegate(made, { text: "localhost:8080/" })).toEqual(says("no scheme"));
      expect(delegate(made, { target: made.source.queue })).toEqual(says("without DELEGATION"));
      expect(delegate(made, { target: 3n })).toEqual([code.ERROR_INVALID_HANDLE, expect.stringContaining("the target's handle")]);
      expect(delegate(made, { id: 3n })).toEqual([code.ERROR_CONNECTION_INVALID, expect.stringContaining("no request")]);
      expect(delegate(made)[0]).toBe(0);
      expect(delegate(made)[0]).toBe(code.ERROR_CONNECTION_INVALID);
    });

    test(`a source without the delegation property: 5 ${unconfirmed}`, async () => {
      expect(delegate(await bench(false))).toEqual([code.ERROR_ACCESS_DENIED, expect.stringContaining("no delegation property")]);
    });

    test(`a body that was read: 87 ${unconfirmed}`, async () => {
      const made = await bench();
      const memory = library.memory(64);
      expect(library.call("HttpReceiveRequestEntityBody", made.source.queue, made.id, 0, memory.address, 64, out().buffer, 0n)).toBe(0);
      expect(delegate(made)).toEqual([code.ERROR_INVALID_PARAMETER, expect.stringContaining("body was read")]);
    });

    test("a second rule for one queue: 183, until the first is gone", async () => {
      const { source, target } = await bench();
      const info = bindingInfo(library, target, true);
      refused(code.ERROR_ALREADY_EXISTS, "rule", "HttpSetUrlGroupProperty", source.urlGroup, 16, info.buffer, 16);
      setRule(source.urlGroup, target, false);
      setRule(source.urlGroup, target, true);
    });

    test("a target that closed its queue: 6807", async () => {
      const made = await bench();
      open.find(({ createdQueue, queue }) => createdQueue && queue !== made.source.queue)?.close();
      expect(delegate(made)).toEqual([code.ERROR_OBJECT_NO_LONGER_EXISTS, expect.stringContaining("gone")]);
    });
  });

  test(`a request larger than the buffer: 234, with the id and all the bytes it needs ${unconfirmed}`, async () => {
    const { queue, port } = await listen();
    const client = connect(port, "127.0.0.1");
    client.on("error", () => undefined);
    clients.push(client);
    await once(client, "connect");
    client.write(`GET /a HTTP/1.1\r\nHost: a.test\r\nX-A: ${"a".repeat(5000)}\r\n\r\n`);
    const small = library.memory(1024);
    const returned = out();
    expect(library.call("HttpReceiveHttpRequest", queue, 0n, 0, small.address, 1024, returned.buffer, 0n)).toBe(code.ERROR_MORE_DATA);
    const size = returned.buffer.readUInt32LE(0);
    const id = small.buffer.readBigUInt64LE(16);
    const large = library.memory(size);
    expect(library.call("HttpReceiveHttpRequest", queue, id, 0, large.address, size, returned.buffer, 0n)).toBe(0);
    expect(large.buffer.readBigUInt64LE(16)).toBe(id);
    expect(flag.HTTP_NULL_ID).toBe(0);
  });
});
