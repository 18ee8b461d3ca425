/** Certificates in fields, as proxies in front write them. */
import type { ClientCertificateHeaderFormat } from "@proxy/config";
import { listElements } from "@proxy/http";

/** The DER of the certificate that a field holds; undefined: it holds none that could be read. */
export function certificateIn(value: string, format: ClientCertificateHeaderFormat): Uint8Array | undefined {
  switch (format) {
    case "Base64Der":
      return fromBase64(value);
    case "ClientCert":
      // A byte sequence between colons (RFC 9440, 2.2; RFC 8941, 3.3.5).
      return value.startsWith(":") && value.endsWith(":") ? fromBase64(value.slice(1, -1)) : undefined;
    case "UrlEncodedPem":
      return fromPem(value);
    case "Xfcc":
      return fromXfcc(value);
  }
}

function fromBase64(text: string): Uint8Array | undefined {
  return text !== "" && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, "base64") : undefined;
}

function fromPem(escaped: string): Uint8Array | undefined {
  let text: string;
  try {
    text = decodeURIComponent(escaped);
  } catch {
    return undefined;
  }
  const match = /^\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/.exec(text);
  return match?.[1] === undefined ? undefined : fromBase64(match[1].replaceAll(/\s/g, ""));
}

/** The proxy that is believed adds its element at the end: what stands before it somebody else said. */
function fromXfcc(value: string): Uint8Array | undefined {
  const last = elementsOf(value).at(-1);
  const certificates = (last === undefined ? [] : partsOf(last)).flatMap((part) => /^cert\s*=(?:\s*"([^"\\]*)"|([^"]*))$/i.exec(part.trim())?.slice(1) ?? []).filter((text) => text !== undefined && text !== "");
  return certificates.length === 1 ? fromPem(certificates[0] ?? "") : undefined;
}

function elementsOf(value: string): string[] {
  // Quotes may hold commas: what one left open swallows is not read as an element.
  return value.includes('"') ? split(value, ",") : listElements(value);
}

function partsOf(element: string): string[] {
  return split(element, ";");
}

function split(text: string, separator: string): string[] {
  const parts: string[] = [];
  let from = 0;
  let isQuoted = false;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') isQuoted = !isQuoted;
    else if (isQuoted && text[i] === "\\") i++;
    else if (!isQuoted && text[i] === separator) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  return isQuoted ? [] : [...parts, text.slice(from)];
}
