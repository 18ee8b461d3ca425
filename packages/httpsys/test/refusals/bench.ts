import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect } from "vitest";
import { serverProperty } from "../../src/abi/constants.ts";
import { structs } from "../../src/abi/structs.ts";
import { wideText, type HttpSysLibrary, type Memory, type NativeArgument } from "../../src/binding.ts";
import { encodeResponse, type ResponsePiece } from "../../src/encode-response.ts";
import { parseUrlPrefix, startListening, type Listening, type QueueHandle, type UrlGroupId } from "../../src/index.ts";
import { bindingInfo } from "../../src/properties.ts";
import { freePort, liveObjects } from "../double.ts";

/** Marks what the double had to decide. */
export const unconfirmed = "(an assumption: only Windows can confirm it)";

/** A request that was received. */
export interface ReceivedRequest {
  readonly id: bigint;
  readonly connection: bigint;
  readonly client: Socket;
}

/** What is needed to make a call wrong in one respect, with blocking calls; everything is closed by `clear`. */
export class RefusalBench {
  readonly library: HttpSysLibrary;
  readonly #open: { close(): void }[] = [];
  readonly #clients: Socket[] = [];

  constructor(library: HttpSysLibrary) {
    this.library = library;
  }

  async clear(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.destroy();
    for (const each of this.#open.splice(0)) each.close();
    await expect.poll(() => Object.entries(liveObjects()).filter(([, count]) => count !== 0)).toEqual([]);
  }

  closeLater(close: () => void): void {
    this.#open.push({ close });
  }

  async listen(name?: string): Promise<Listening & { readonly port: number }> {
    const port = await freePort();
    const listening = startListening(this.library, { prefixes: [parseUrlPrefix(`http://+:${port}/`)], queue: { name } });
    this.#open.push(listening);
    return { ...listening, port };
  }

  refused(expected: number, why: string, name: Parameters<HttpSysLibrary["call"]>[0], ...values: NativeArgument[]): void {
    expect([this.library.call(name, ...values), this.library.why()]).toEqual([expected, expect.stringContaining(why)]);
  }

  /** Eight bytes for what a call gives. */
  out(): Buffer {
    return this.library.memory(8).buffer;
  }

  text(value: string): Buffer {
    return wideText(this.library, value).buffer;
  }

  openQueue(name: string, flags: number): QueueHandle {
    const handle = this.out();
    this.library.require("HttpCreateRequestQueue", 2, this.text(name), 0n, flags, handle);
    const queue = handle.readBigUInt64LE(0) as QueueHandle;
    this.closeLater(() => void this.library.call("HttpCloseRequestQueue", queue));
    return queue;
  }

  setRule(group: UrlGroupId, target: QueueHandle, present: boolean): void {
    const info = bindingInfo(this.library, target, present);
    this.library.require("HttpSetUrlGroupProperty", group, serverProperty.HttpServerDelegationProperty, info.buffer, info.buffer.length);
  }

  /** Sends `text` and receives the request in it. */
  async request({ port, queue }: { readonly port: number; readonly queue: QueueHandle }, text = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"): Promise<ReceivedRequest> {
    const client = connect(port, "127.0.0.1");
    client.on("error", () => undefined).on("data", () => undefined);
    this.#clients.push(client);
    await once(client, "connect");
    client.write(text);
    const memory = this.library.memory(4096);
    expect(this.library.call("HttpReceiveHttpRequest", queue, 0n, 0, memory.address, 4096, this.out(), 0n)).toBe(0);
    return { id: memory.buffer.readBigUInt64LE(16), connection: memory.buffer.readBigUInt64LE(8), client };
  }

  response(status: number, headers: readonly string[] = [], reason = "x", pieces: readonly ResponsePiece[] = []): Memory {
    return encodeResponse(this.library, { status, reason, headers }, pieces);
  }

  /** Sends a head that must be refused. */
  refusedHead(expected: number, why: string, queue: QueueHandle, id: bigint, response: Memory, flags = 0): void {
    this.refused(expected, why, "HttpSendHttpResponse", queue, id, flags, response.address, 0n, 0n, 0n, 0, 0n, 0n);
    expect(response.buffer.length).toBeGreaterThan(0);
  }

  sendHead(queue: QueueHandle, id: bigint, flags: number): void {
    const response = this.response(200);
    this.library.require("HttpSendHttpResponse", queue, id, flags, response.address, 0n, 0n, 0n, 0, 0n, 0n);
    expect(response.buffer.length).toBeGreaterThan(0);
  }

  /** Delegates, wrong in what `wrong` says; gives the code and the reason. */
  delegate(
    { source, target, id }: { readonly source: Listening; readonly target: bigint; readonly id: bigint },
    wrong: { text?: string; bytes?: number; propertyId?: number; count?: number; group?: bigint; id?: bigint; target?: bigint; source?: bigint } = {},
  ): [number, string | undefined] {
    const { text, info } = this.delegateInfo(wrong);
    const result = this.library.call(
      "HttpDelegateRequestEx", wrong.source ?? source.queue, wrong.target ?? target, wrong.id ?? id, wrong.group ?? 0n, wrong.count ?? 1, info.buffer,
    );
    return [result, text.buffer.length > 0 ? this.library.why() : undefined];
  }

  delegateInfo(wrong: { readonly text?: string | undefined; readonly bytes?: number | undefined; readonly propertyId?: number | undefined } = {}): { readonly text: Memory; readonly info: Memory } {
    const text = wideText(this.library, wrong.text ?? delegatePrefix);
    const { size, fields } = structs.HTTP_DELEGATE_REQUEST_PROPERTY_INFO;
    const info = this.library.memory(size);
    info.buffer.writeInt32LE(wrong.propertyId ?? 1, fields.PropertyId[0]);
    info.buffer.writeUInt32LE(wrong.bytes ?? text.buffer.length - 2, fields.PropertyInfoLength[0]);
    info.buffer.writeBigUInt64LE(text.address, fields.PropertyInfo[0]);
    return { text, info };
  }
}

export const delegatePrefix = "http://localhost:8080/";
