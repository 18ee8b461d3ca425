/** What depends on how bytes are read and written is other over TLS: the rules of single frames are not. */
import { describe } from "vitest";
import { tlsFront } from "./front.ts";
import { wireBehaviour } from "./wire-behaviour.ts";
import { wireFuzz } from "./wire-fuzz.ts";
import { wireHostile } from "./wire-hostile.ts";
import { wireIntegrity } from "./wire-integrity.ts";

describe("HTTP/2 over TLS", () => {
  wireBehaviour(tlsFront);
  wireHostile(tlsFront);
  wireIntegrity(tlsFront, [1, 2, 3]);
  wireFuzz(tlsFront, 100);
});
