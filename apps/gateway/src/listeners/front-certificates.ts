import { defaultWatchInterval, FrontTls, watchFiles } from "@proxy/http";
import type { CallbackLog } from "../logging/callback-log.ts";
import { tellExpiry } from "./certificate-expiry.ts";
import type { ListenerTls } from "./listener-settings.ts";
import { certificateFiles, readCertificates } from "./read-certificates.ts";

const clientCertificates = { NoCertificate: "none", AllowCertificate: "allow", RequireCertificate: "require" } as const;

const day = 86_400_000;

export interface FrontCertificates {
  /** The TLS of a listener; one for all listeners with the same settings. Throws when its certificates cannot be used. */
  tlsFor(settings: ListenerTls): FrontTls;
  /** Reads all files again now. What cannot be used is logged, and the old certificates stay. */
  reload(): void;
  close(): void;
}

/**
 * The certificates of all listeners. Their files are looked at every `interval` milliseconds (default 1000), whole sets at
 * once: certificate and key change together. Connections stay open. Those that expire are told of when they are read and once a day.
 */
export function frontCertificates(log: CallbackLog, interval = defaultWatchInterval): FrontCertificates {
  const held = new Map<ListenerTls, FrontTls>();
  const watched: (() => void)[] = [];
  const reload = (settings: ListenerTls, tls: FrontTls): void => {
    try {
      tls.update(readCertificates(settings));
      log("Info", "the certificates were read again", { files: certificateFiles(settings).join(", ") });
      tellExpiry(settings, log);
    } catch (error) {
      log("Error", `the changed certificates cannot be used, the old ones stay: ${(error as Error).message}`);
    }
  };
  const daily = setInterval(() => {
    for (const settings of held.keys()) tellExpiry(settings, log);
  }, day).unref();
  return {
    tlsFor(settings) {
      const known = held.get(settings);
      if (known !== undefined) return known;
      const tls = new FrontTls({
        ...readCertificates(settings),
        clientCertificates: clientCertificates[settings.clientCertificateMode],
      });
      held.set(settings, tls);
      tellExpiry(settings, log);
      watched.push(watchFiles(certificateFiles(settings), () => reload(settings, tls), interval));
      return tls;
    },
    reload() {
      for (const [settings, tls] of held) reload(settings, tls);
    },
    close() {
      clearInterval(daily);
      for (const stop of watched.splice(0)) stop();
    },
  };
}
