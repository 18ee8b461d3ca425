import { headerKey } from "@proxy/http";
import { removeSpellings } from "./field-spellings.ts";
import { checkHeaderName, warnOfName } from "./header-settings.ts";
import type { TransformFactory } from "./transform.ts";

/** Connections carry many requests; their certificate is encoded once. */
const encoded = new WeakMap<Uint8Array, string>();

/**
 * `ClientCert: n` puts the client's verified certificate (Base64 of its DER) into a field. What the client itself sent
 * under that name is removed in any case, in whatever spelling.
 */
export const clientCert: TransformFactory = {
  key: "ClientCert",
  // Where it did not run, a client could make a certificate up.
  always: true,
  build(settings, plan) {
    const name = settings.value;
    if (!settings.only() || !warnOfName(settings, name) || !checkHeaderName(settings, name)) return;
    const key = headerKey(name);
    plan.request.push((outgoing, ctx) => {
      removeSpellings(outgoing.headers, key);
      const { tls } = ctx.exchange.connection;
      if (tls?.clientCertificate === undefined || !tls.clientCertificateAuthorized) return;
      outgoing.headers.append(name, base64(tls.clientCertificate));
    });
  },
};

function base64(der: Uint8Array): string {
  let text = encoded.get(der);
  if (text === undefined) {
    text = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("base64");
    encoded.set(der, text);
  }
  return text;
}
