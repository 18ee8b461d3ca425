import { expect, test } from "vitest";
import { createVersionedClient } from "../../src/index.ts";
import { resetStream } from "./reset-stream.ts";
import { sendTo, type RecordedCall } from "../contract/destination-call.ts";
import { MemoryBody, turns, until } from "../contract/recorders.ts";
import { cert, Http2Peer } from "./http2-destination.ts";

/** A stream of numbers that is the same in every run (Mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Sockets and timers that hold the process. */
const resources = (): number => process.getActiveResourcesInfo().filter((name) => /TCP|TLS|Timeout/.test(name)).length;

test.each(["http", "https"] as const)("200 requests with a fault of a random kind at a random step each end once and leave nothing (%s)", async (scheme) => {
  const before = resources();
  const random = numbers(scheme === "http" ? 7 : 11);
  const peer = await Http2Peer.open(scheme, { settings: { maxConcurrentStreams: 10 } });
  let handled = 0;
  const strike = (index: number): void => {
    const { stream } = peer.streams[index] as (typeof peer.streams)[number];
    const step = random(4);
    const fault = random(7);
    if (stream.destroyed) return;
    if (step > 0) stream.respond({ ":status": 200 });
    if (step > 1) stream.write("x".repeat(random(100_000)));
    if (fault === 0) resetStream(stream, random(12));
    else if (fault === 1) stream.close(random(12));
    else if (fault === 2) stream.session?.goaway(0, Math.max(0, (stream.id ?? 1) - 2 * random(3)));
    else if (fault === 3) stream.session?.destroy();
    else if (fault === 4) peer.sockets[random(peer.sockets.length)]?.destroy();
    else if (step === 0) stream.respond({ ":status": 204 }, { endStream: true });
    else stream.end("rest");
  };
  const client = createVersionedClient({ tls: { ca: cert }, timerInterval: 10, connectTimeout: 2000 } as object);
  const destination = client.destination(peer.origin);
  const calls: RecordedCall[] = [];
  const aborted = new Set<RecordedCall>();
  const ended = (call: RecordedCall): boolean => call.finals === 1 || aborted.has(call);
  for (let round = 0; round < 20; round++) {
    const batch = Array.from({ length: 10 }, () => {
      const body = random(2) === 0 ? undefined : new MemoryBody(["part", "x".repeat(random(200_000))], { held: random(3) === 0 });
      const call = sendTo(destination, { httpVersion: "2", versionPolicy: "RequestVersionExact", body, expectContinue: random(4) === 0 });
      if (random(6) === 0) {
        setImmediate(() => {
          if (call.finals === 0) aborted.add(call);
          call.call.abort(new Error("client left"));
        });
      }
      return call;
    });
    calls.push(...batch);
    const strikeAll = (): void => {
      for (; handled < peer.streams.length; handled++) strike(handled);
    };
    let quiet = { seen: "", turns: 0, since: 0 };
    while (!batch.every(ended)) {
      strikeAll();
      await turns(1);
      const seen = `${handled} ${batch.filter(ended).length}`;
      if (seen !== quiet.seen) quiet = { seen, turns: 0, since: Date.now() };
      // What was told to go away without an end, and what nobody answers, is given up, once nothing happens any more.
      if (++quiet.turns < 1000 || Date.now() - quiet.since < 150) continue;
      for (const call of batch) {
        if (ended(call)) continue;
        aborted.add(call);
        call.call.abort(new Error("took too long"));
      }
    }
  }
  client.destroy();
  // Resolves once no socket of the client is left; Node's server may keep one of its own that it waits to write on.
  await client.close();
  await peer.close();
  await turns(5);
  for (const call of calls) {
    expect(call.problems).toEqual([]);
    expect(call.finals).toBe(aborted.has(call) ? 0 : 1);
  }
  const outcomes = new Set(calls.map((call) => call.error?.step ?? (call.finals === 1 ? "end" : "aborted")));
  expect([...outcomes].toSorted()).toEqual(expect.arrayContaining(["aborted", "end", "request", "response-body"]));
  await until(() => resources() <= before);
});
