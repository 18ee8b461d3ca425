import type { Socket } from "node:net";
import type { GiveBackOutcome } from "@proxy/http";
import type { HandOver } from "../unix/frames.ts";

/** Gives a connection back to the gateway that lent it, with what was read and not used. */
export type Lender = (socket: Socket, rest: Buffer) => GiveBackOutcome;

/** Serves a connection that came; `giveBack` is to be called when it stands between two requests, undefined when it stays. */
export type Adopt = (socket: Socket, handOver: HandOver, giveBack: Lender | undefined) => void;
