/** What one call leaves behind, or what another connection does, reaches no other call. */
import type { LookupFunction } from "node:net";
import { afterEach, expect, it } from "vitest";
import { createEngineClient, type EngineClientOptions, type HttpClient } from "../../src/index.ts";
import { ManualClock } from "../contract/manual-clock.ts";
import { signal, turns, until } from "../contract/recorders.ts";
import { RawDestination } from "./raw-destination.ts";
import { get, ManualBody, Recorder, send } from "./recorder.ts";

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

let client: HttpClient;
let destination: RawDestination;

afterEach(async () => {
  client.destroy();
  await destination.stop();
});

async function start(options: EngineClientOptions = {}): Promise<void> {
  destination = await RawDestination.start(() => undefined);
  client = createEngineClient(options);
}

const asked = (connection: number, requests = 1): Promise<void> =>
  destination.until(() => (destination.received[connection] ?? "").split("\r\n\r\n").length > requests);

it("a piece of a body that its handler keeps is not written over by what comes on other connections", async () => {
  await start();
  const pool = client.destination(destination.origin);
  const kept: Uint8Array[] = [];
  for (const [index, letter] of ["a", "b", "c"].entries()) {
    const recorder = new Recorder();
    recorder.onChunk = (chunk) => {
      kept.push(chunk);
      return false;
    };
    send(pool, get(), recorder);
    await asked(index);
    destination.sockets[index]?.write(`HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n${letter.repeat(5000)}`);
    await until(() => recorder.body.length === 5000);
  }
  expect(Buffer.concat(kept).toString("latin1")).toBe("a".repeat(5000) + "b".repeat(5000) + "c".repeat(5000));
});

it.each([true, false])("a connection that fails to open tells who waits for it now (%s), and not the call that another served", async (waited) => {
  const second = signal<() => void>();
  let lookups = 0;
  const lookup: LookupFunction = (_name, options, callback) => {
    if (++lookups === 2) second.resolve(() => callback(new Error("no such name"), []));
    else if (options.all === true) callback(null, [{ address: "127.0.0.1", family: 4 }]);
    else callback(null, "127.0.0.1", 4);
  };
  await start({ lookup });
  const pool = client.destination({ ...destination.origin, host: "destination.test" });
  const first = send(pool);
  await asked(0);
  const other = send(pool);
  const fail = await second.promise;
  destination.sockets[0]?.write(ok);
  await first.done;
  await asked(0, 2);
  // It is being opened still, and is for the next call now.
  const heir = waited ? send(pool) : undefined;
  fail();
  await turns(5);
  expect((await heir?.done)?.error?.step).toBe(waited ? "connect" : undefined);
  expect(other.outcome).toBe("open");
  destination.sockets[0]?.write(ok);
  expect((await other.done).outcome).toBe("end");
  expect(lookups).toBe(2);
});

it("a body that was not sent, since the answer came instead of 100, is not sent later either", async () => {
  const clock = new ManualClock();
  await start({ now: clock.now, timerInterval: 2 });
  const body = new ManualBody(3);
  const call = send(client.destination(destination.origin), { ...get(), method: "POST", body, expectContinue: true });
  await asked(0);
  destination.sockets[0]?.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nabc");
  await until(() => call.body === "abc");
  clock.advance(60_000);
  await clock.looked();
  destination.sockets[0]?.write("def");
  expect((await call.done).seen).toMatchObject({ status: 403, body: "abcdef", outcome: "end" });
  expect([body.sink, destination.received[0]?.endsWith("\r\n\r\n")]).toEqual([undefined, true]);
});
