import { unwatchFile, watchFile } from "node:fs";
import { FrontTls } from "@proxy/http";
import type { CallbackLog } from "../logging/callback-log.ts";
import type { ListenerTls } from "./listener-settings.ts";
import { certificateFiles, readCertificates } from "./read-certificates.ts";

const clientCertificates = { NoCertificate: "none", AllowCertificate: "allow", RequireCertificate: "require" } as const;

export interface FrontCertificates {
  /** The TLS of a listener; one for all listeners with the same settings. Throws when its certificates cannot be used. */
  tlsFor(settings: ListenerTls): FrontTls;
  /** Reads all files again now. What cannot be used is logged, and the old certificates stay. */
  reload(): void;
  close(): void;
}

/**
 * The certificates of all listeners. Their files are looked at every `interval` milliseconds (default 1000): a look
 * sees every way to replace a file, renames and swapped links of mounted secrets included. Connections stay open.
 */
export function frontCertificates(log: CallbackLog, interval = 1000): FrontCertificates {
  const held = new Map<ListenerTls, FrontTls>();
  const watched: (() => void)[] = [];
  const reload = (settings: ListenerTls, tls: FrontTls): void => {
    try {
      tls.update(readCertificates(settings));
      log("Info", "the certificates were read again", { files: certificateFiles(settings).join(", ") });
    } catch (error) {
      log("Warn", `the changed certificates cannot be used, the old ones stay: ${(error as Error).message}`);
    }
  };
  return {
    tlsFor(settings) {
      const known = held.get(settings);
      if (known !== undefined) return known;
      const tls = new FrontTls({
        ...readCertificates(settings),
        clientCertificates: clientCertificates[settings.clientCertificateMode],
      });
      held.set(settings, tls);
      let pending: NodeJS.Immediate | undefined;
      const changed = (): void => {
        // Certificate and key change together: one reading for both.
        pending ??= setImmediate(() => {
          pending = undefined;
          reload(settings, tls);
        });
      };
      for (const file of certificateFiles(settings)) {
        watchFile(file, { interval, persistent: false }, changed);
        watched.push(() => unwatchFile(file, changed));
      }
      return tls;
    },
    reload() {
      for (const [settings, tls] of held) reload(settings, tls);
    },
    close() {
      for (const stop of watched.splice(0)) stop();
    },
  };
}
