import { connect, type Socket } from "node:net";
import { expect } from "vitest";
import { resetSocket } from "../../../src/reset-socket.ts";
import { readMessage } from "./message.ts";
import { makePlan, type Plan } from "./plan.ts";
import { play } from "./play.ts";
import { turns } from "./random-numbers.ts";
import type { Strikes } from "./strikes.ts";

export type Outcome = "answered" | "bad gateway" | "timed out" | "cut" | "left" | "switched" | "refused";

export interface ClientsOptions {
  readonly seed: number;
  readonly requests: number;
  /** Clients at a time. */
  readonly clients: number;
  readonly port: number;
  /** Turns of the event loop after which a client that got no answer leaves. */
  readonly patience: (plan: Plan) => number;
  readonly strikes: Strikes;
}

/** Plays the client's part of all requests; resolves to how often each outcome was seen. */
export async function playClients(options: ClientsOptions): Promise<Map<Outcome, number>> {
  const { seed, requests, clients, port } = options;
  const outcomes = new Map<Outcome, number>();
  let next = 0;
  const worker = async (): Promise<void> => {
    let socket: Socket | undefined;
    while (next < requests) {
      const plan = makePlan(seed, next++);
      if (socket === undefined || socket.destroyed || socket.writableEnded || socket.readableEnded) {
        socket?.destroy();
        socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
        socket.on("error", () => undefined);
      }
      const outcome = await exchange(socket, plan, options);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      // Only what is known to be whole on both sides goes on.
      if (outcome !== "answered" || plan.client.kind !== "none") {
        if (plan.id % 2 === 0) socket.destroy();
        else resetSocket(socket);
        socket = undefined;
      }
    }
    socket?.destroy();
  };
  await Promise.all(Array.from({ length: clients }, worker));
  return outcomes;
}

/** Plays the client's part of one exchange on `socket`, and judges what it saw. */
async function exchange(socket: Socket, plan: Plan, { strikes, patience }: ClientsOptions): Promise<Outcome> {
  let text = "";
  let gone = false;
  const take = (bytes: Buffer): void => {
    text += bytes.toString("latin1");
  };
  const leave = (): void => {
    gone = true;
  };
  socket.on("data", take);
  socket.once("close", leave);
  socket.once("end", leave);
  try {
    if (plan.slowReader > 0) socket.pause();
    const sending = play(socket, plan.request, plan.client, (step) => strikes.count("client", plan.client.kind, step));
    if (plan.slowReader > 0) {
      await turns(plan.slowReader);
      socket.resume();
    }
    const sent = await sending;
    for (let left = patience(plan); left > 0; left--) {
      const message = readMessage(text, plan.method === "HEAD");
      if (message?.end !== undefined) return judge(plan, message.status, message.body, sent);
      if (gone || socket.destroyed) return "cut";
      await turns(1);
    }
    resetSocket(socket);
    return "left";
  } finally {
    socket.off("data", take);
    socket.off("close", leave);
    socket.off("end", leave);
  }
}

function judge(plan: Plan, status: number, body: string, sent: boolean): Outcome {
  const about = JSON.stringify({ ...plan, status, request: plan.request.length, response: plan.response.length, body: plan.body.length });
  if (status === 101) {
    expect(plan.upgrade, about).toBe(true);
    return "switched";
  }
  if (status === 502) return "bad gateway";
  if (status === 504) return "timed out";
  if (status >= 400) {
    // Who sends a few bytes per turn may run out of time on a busy machine, and have sent the last of them when told so.
    if (status !== 408) expect(sent, about).toBe(false);
    return "refused";
  }
  // Garbage in a body of known length is data to everybody.
  if (plan.destination.kind === "garbage") expect(body.length, about).toBe(plan.body.length);
  else expect(body === plan.body, `the body is not what was sent: ${about}`).toBe(true);
  return "answered";
}
