import { readFileSync } from "node:fs";
import { certificateExpiry } from "@proxy/http";
import type { CallbackLog } from "../logging/callback-log.ts";
import type { ListenerTls } from "./listener-settings.ts";

/** Authorities that renew by themselves do so a month before; what is left at two weeks will not be renewed. */
const soon = 14 * 86_400_000;

/** Warns of certificates in PEM that have expired or will within two weeks; those in PKCS #12 cannot be looked into. */
export function tellExpiry({ certificate, serverNames }: ListenerTls, log: CallbackLog, now = Date.now()): void {
  const files = new Set([certificate, ...serverNames.map(([, own]) => own)].flatMap((each) => each?.path ?? []));
  for (const file of files) {
    const expires = expiryOf(file);
    if (expires === undefined || expires.getTime() - now > soon) continue;
    const message = expires.getTime() > now ? "a certificate expires soon" : "a certificate has expired";
    log("Warn", message, { file, expires: expires.toISOString() });
  }
}

function expiryOf(file: string): Date | undefined {
  try {
    return certificateExpiry(readFileSync(file));
  } catch {
    // Removed since it was read: whoever watches it tells of that.
    return undefined;
  }
}
