import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { flag, requestHeaderIds, verb } from "../src/abi/constants.ts";
import { structs } from "../src/abi/structs.ts";
import { decodeRequest } from "../src/decode-request.ts";
import { RequestImageError } from "../src/request-image.ts";

const base = 0x7fff_0000_1000n;
const request = structs.HTTP_REQUEST_V2.fields;

/** An image as HTTP.sys writes it, made by hand. */
class ImageWriter {
  readonly buffer = Buffer.alloc(8192);
  used: number = structs.HTTP_REQUEST_V2.size;

  constructor() {
    this.buffer.writeUInt16LE(1, request.Version[0]);
    this.buffer.writeUInt16LE(1, request.Version[0] + 2);
    this.buffer.writeInt32LE(verb.HttpVerbGET, request.Verb[0]);
    this.buffer.writeBigUInt64LE(77n, request.RequestId[0]);
    this.text("/a%2Fb?c", request.RawUrlLength[0], request.pRawUrl[0]);
  }

  reserve(size: number): number {
    const at = this.used;
    this.used = (this.used + size + 7) & ~7;
    return at;
  }

  pointer(at: number, to: number): void {
    this.buffer.writeBigUInt64LE(base + BigInt(to), at);
  }

  text(text: string, lengthAt: number, pointerAt: number): void {
    const at = this.reserve(text.length + 1);
    this.buffer.write(text, at, "latin1");
    this.buffer.writeUInt16LE(text.length, lengthAt);
    this.pointer(pointerAt, at);
  }

  known(id: number, value: string): void {
    const at = request.Headers[0] + structs.HTTP_REQUEST_HEADERS.fields.KnownHeaders[0] + id * structs.HTTP_KNOWN_HEADER.size;
    this.text(value, at, at + 8);
  }

  unknown(pairs: readonly (readonly [string, string])[]): void {
    const list = this.reserve(pairs.length * structs.HTTP_UNKNOWN_HEADER.size);
    this.buffer.writeUInt16LE(pairs.length, request.Headers[0]);
    this.pointer(request.Headers[0] + 8, list);
    pairs.forEach(([name, value], i) => {
      const at = list + i * structs.HTTP_UNKNOWN_HEADER.size;
      this.text(name, at, at + 8);
      this.text(value, at + 2, at + 16);
    });
  }

  address(bytes: readonly number[], pointerAt: number): void {
    const at = this.reserve(28);
    Buffer.from(bytes).copy(this.buffer, at);
    this.pointer(pointerAt, at);
  }

  tls(certificate: Uint8Array): void {
    const ssl = this.reserve(structs.HTTP_SSL_INFO.size);
    const cert = this.reserve(structs.HTTP_SSL_CLIENT_CERT_INFO.size);
    const der = this.reserve(certificate.length);
    this.pointer(request.pSslInfo[0], ssl);
    this.pointer(ssl + structs.HTTP_SSL_INFO.fields.pClientCertInfo[0], cert);
    this.buffer.writeUInt16LE(256, ssl + structs.HTTP_SSL_INFO.fields.ConnectionKeySize[0]);
    this.buffer.writeUInt32LE(certificate.length, cert + structs.HTTP_SSL_CLIENT_CERT_INFO.fields.CertEncodedSize[0]);
    this.pointer(cert + structs.HTTP_SSL_CLIENT_CERT_INFO.fields.pCertEncoded[0], der);
    Buffer.from(certificate).copy(this.buffer, der);
    const info = this.reserve(structs.HTTP_REQUEST_INFO.size);
    const protocol = this.reserve(structs.HTTP_SSL_PROTOCOL_INFO.size);
    this.buffer.writeUInt16LE(1, request.RequestInfoCount[0]);
    this.pointer(request.pRequestInfo[0], info);
    this.buffer.writeInt32LE(2, info);
    this.pointer(info + 8, protocol);
    this.buffer.writeUInt32LE(0x1000, protocol);
    this.buffer.writeUInt32LE(0x660e, protocol + structs.HTTP_SSL_PROTOCOL_INFO.fields.CipherType[0]);
  }

  decode() {
    return decodeRequest(this.buffer, base, this.used);
  }
}

/** With everything that an image can have. */
function whole(): ImageWriter {
  const image = new ImageWriter();
  image.known(requestHeaderIds.indexOf("Host"), "a.test");
  image.known(requestHeaderIds.indexOf("Cookie"), "caf\xe9");
  image.unknown([["X-A", "1"], ["x-a", "2"], ["X-Empty", ""]]);
  image.address([2, 0, 0x1f, 0x90, 192, 0, 2, 7], request.Address[0]);
  image.address([23, 0, 0, 80, 0, 0, 0, 0, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], request.Address[0] + 8);
  image.tls(Uint8Array.of(0x30, 1, 2, 3));
  const url = Buffer.from("https://a.test/a/b?c", "utf16le");
  const at = image.reserve(url.length);
  url.copy(image.buffer, at);
  const cooked = request.CookedUrl[0];
  [40, 12, 8, 4].forEach((size, i) => image.buffer.writeUInt16LE(size, cooked + i * 2));
  [0, 16, 28, 36].forEach((offset, i) => image.pointer(cooked + 8 + i * 8, at + offset));
  return image;
}

describe("a request image", () => {
  test("gives what stands in it", () => {
    expect(whole().decode()).toEqual({
      requestId: 77n,
      connectionId: 0n,
      urlContext: 0n,
      method: "GET",
      rawUrl: "/a%2Fb?c",
      cookedUrl: { full: "https://a.test/a/b?c", host: "a.test", path: "/a/b", query: "?c" },
      version: "1.1",
      headers: ["Cookie", "caf\xe9", "Host", "a.test", "X-A", "1", "x-a", "2", "X-Empty", ""],
      hasBody: false,
      remote: { address: "192.0.2.7", port: 8080 },
      local: { address: "2001:db8::1", port: 80 },
      tls: { protocol: "TLSv1.3", cipher: "AES_128", keySize: 256, clientCertificate: Uint8Array.of(0x30, 1, 2, 3), clientCertificateValid: true, token: 0n },
    });
  });

  test.each([
    ["a body to come", flag.HTTP_REQUEST_FLAG_MORE_ENTITY_BODY_EXISTS, { hasBody: true, version: "1.1" }],
    ["HTTP/2", flag.HTTP_REQUEST_FLAG_HTTP2, { hasBody: false, version: "2" }],
    ["HTTP/3", flag.HTTP_REQUEST_FLAG_HTTP3, { hasBody: false, version: "3" }],
  ])("tells %s by its flag", (_what, bits, expected) => {
    const image = new ImageWriter();
    image.buffer.writeUInt32LE(bits, 0);
    expect(image.decode()).toMatchObject(expected);
  });

  test("gives methods by number and, unknown to HTTP.sys, by text", () => {
    const image = new ImageWriter();
    for (const [name, id] of [["OPTIONS", 3], ["DELETE", 8], ["SEARCH", 19]] as const) {
      image.buffer.writeInt32LE(id, request.Verb[0]);
      expect(image.decode().method).toBe(name);
    }
    image.buffer.writeInt32LE(verb.HttpVerbUnknown, request.Verb[0]);
    image.text("PATCH", request.UnknownVerbLength[0], request.pUnknownVerb[0]);
    expect(image.decode().method).toBe("PATCH");
    for (const id of [verb.HttpVerbUnparsed, verb.HttpVerbInvalid, verb.HttpVerbMaximum, -1]) {
      image.buffer.writeInt32LE(id, request.Verb[0]);
      expect(() => image.decode()).toThrow(RequestImageError);
    }
  });

  test("shows an IPv4-mapped address as IPv4", () => {
    const image = new ImageWriter();
    image.address([23, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1], request.Address[0]);
    expect(image.decode().remote).toEqual({ address: "127.0.0.1", port: 80 });
  });

  test("shows the interface of a link-local address, as Node does, and of no other", () => {
    const at = (...first: number[]) => {
      const image = new ImageWriter();
      image.address([23, 0, 0, 80, 0, 0, 0, 0, ...first, ...Array.from({ length: 13 }, () => 0), 1, 12, 0, 0, 0], request.Address[0]);
      return image.decode().remote?.address;
    };
    expect([at(0xfe, 0x80), at(0xfe, 0xbf), at(0xfe, 0xc0), at(0x20, 0x01)]).toEqual(["fe80::1%12", "febf::1%12", "fec0::1", "2001::1"]);
    const image = new ImageWriter();
    image.address([23, 0, 0, 80, 0, 0, 0, 0, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], request.Address[0]);
    expect(image.decode().remote?.address).toBe("fe80::1");
  });

  test("gives the token of an account that a certificate is mapped to", () => {
    const image = whole();
    const cert = image.buffer.readBigUInt64LE(Number(image.buffer.readBigUInt64LE(request.pSslInfo[0]) - base) + structs.HTTP_SSL_INFO.fields.pClientCertInfo[0]) - base;
    image.buffer.writeBigUInt64LE(0x1234n, Number(cert) + structs.HTTP_SSL_CLIENT_CERT_INFO.fields.Token[0]);
    expect(image.decode().tls?.token).toBe(0x1234n);
  });

  test("whose pointers lead out of it is refused, at either end", () => {
    for (const to of [-1n, -base, 8192n, 0x7fff_ffff_ffffn]) {
      const image = whole();
      image.buffer.writeBigUInt64LE(BigInt.asUintN(64, base + to), request.pRawUrl[0]);
      expect(() => image.decode()).toThrow(RequestImageError);
    }
    const image = whole();
    // The last byte of the text would be the first behind the image.
    image.pointer(request.pRawUrl[0], image.used - 7);
    expect(() => image.decode()).toThrow(RequestImageError);
  });

  test("changed anywhere is read or refused, never anything else", () => {
    const valid = whole();
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(valid.used - 1), fc.nat(255)), { minLength: 1, maxLength: 12 }), fc.nat(valid.used), (changes, length) => {
        const buffer = Buffer.from(valid.buffer);
        for (const [at, value] of changes) buffer[at] = value;
        for (const size of [valid.used, length]) {
          try {
            const decoded = decodeRequest(buffer, base, size);
            expect(decoded.rawUrl.length).toBeLessThanOrEqual(65_535);
          } catch (error) {
            expect(error).toBeInstanceOf(RequestImageError);
          }
        }
      }),
      { numRuns: 3000 },
    );
  });
});
