/** What depends on how bytes are read and written is other over TLS: the rules of single frames are not. */
import { describe } from "vitest";
import { tlsFront } from "./front.ts";
import { wireBehaviour } from "./wire-behaviour.ts";
import { wireFuzz } from "./wire-fuzz.ts";
import { wireHostile } from "./wire-hostile.ts";

describe("HTTP/2 over TLS", () => {
  wireBehaviour(tlsFront);
  wireHostile(tlsFront);
  wireFuzz(tlsFront, 100);
});
