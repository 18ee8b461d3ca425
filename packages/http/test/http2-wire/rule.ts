/** Rules of the wire that concern a server, each with what it may answer; and how one is tried. */
import { expect } from "vitest";
import { until } from "../contract/recorders.ts";
import type { WireBench } from "./wire-bench.ts";
import type { WireClient, WireOptions } from "./wire-client.ts";

/**
 * What a server does: `connection X` (GOAWAY with that code, and the end), `closed` (the end without one), `stream X`
 * (RST_STREAM), `status N` (an answer), `goes on` (as if nothing had been sent).
 */
export type Outcome = string;

export interface Rule {
  /** The section, and what is sent. */
  readonly name: string;
  readonly send: (client: WireClient, bench: WireBench) => void | Promise<void>;
  readonly allowed: readonly Outcome[];
  /** The stream whose fate is looked at. Default 1. */
  readonly stream?: number | undefined;
  /** Whether a handler may have seen what was sent to `/refused`. Default false. */
  readonly reaches?: boolean | undefined;
  readonly options?: WireOptions | undefined;
}

export const goesOn = "goes on";
/** RFC 9113, 8.1.1: a malformed request; a server may answer it first. */
export const malformed: readonly Outcome[] = ["stream PROTOCOL_ERROR", "status 400"];

/** A stream that no rule uses, for what must still work. */
const lastStream = 1001;

export async function tryRule(rule: Rule, client: WireClient, bench: WireBench): Promise<void> {
  const { allowed } = rule;
  const stream = rule.stream ?? 1;
  await rule.send(client, bench);
  const quiet = allowed.includes(goesOn);
  if (!quiet) await until(() => client.ending !== undefined || client.outcome(stream) !== undefined);
  else await client.alive();
  // What still has to work also takes so long that anything else would have shown.
  const after = client.ending === undefined ? await client.get(lastStream) : undefined;
  const outcome = client.ending ?? client.outcome(stream) ?? goesOn;
  expect(allowed).toContain(outcome);
  if (rule.reaches !== true) expect(bench.seen.filter((path) => path === "/refused")).toEqual([]);
  if (client.ending === undefined) {
    expect(after).toBe("status 200");
    return;
  }
  await until(() => client.closed);
  if (client.goaway !== undefined) expect(client.goaway.last).toBeLessThanOrEqual(lastStream);
}
