import { describe, expect, test } from "vitest";
import { displayUrl, ListenUrlError, parseListenUrl, parseListenUrls } from "../../src/listeners/listen-url.ts";

describe("addresses to listen on", () => {
  test.each([
    ["http://127.0.0.1:8080", "127.0.0.1", 8080],
    ["http://localhost:0", "localhost", 0],
    ["HTTP://LocalHost:5000/", "localhost", 5000],
    ["http://*:80", undefined, 80],
    ["http://+:8081", undefined, 8081],
    ["http://[::1]:5000", "::1", 5000],
    ["http://0.0.0.0", "0.0.0.0", 80],
    ["http://gateway.test:65535", "gateway.test", 65535],
  ])("%s is understood", (text, host, port) => {
    expect(parseListenUrl(text)).toEqual({ text, host, port });
  });

  test.each([
    ["ftp://localhost:21", "the scheme has to be http or https"],
    ["localhost:8080", "is no address"],
    ["http://", "is no address"],
    ["http://:80", "is no address"],
    ["http://localhost:65536", "ports go up to 65535"],
    ["http://localhost:port", "is no address"],
    ["http://localhost:80/base", "is no address"],
    ["http://user@localhost:80", "is no address"],
    ["http://::1:80", "is no address"],
    ["http://a b:80", "is no address"],
  ])("%s is refused", (text, message) => {
    expect(() => parseListenUrl(text)).toThrow(ListenUrlError);
    expect(() => parseListenUrl(text)).toThrow(message);
  });

  test("https says so, with its own default port", () => {
    expect(parseListenUrl("HTTPS://*")).toEqual({ text: "HTTPS://*", host: undefined, port: 443, secure: true });
    expect(displayUrl("::1", 443, true)).toBe("https://[::1]:443");
  });

  test("several are separated by semicolons", () => {
    expect(parseListenUrls(" http://localhost:1 ;http://[::1]:2; ").map((url) => url.port)).toEqual([1, 2]);
    expect(() => parseListenUrls(" ; ")).toThrow("no address");
  });

  test("an IPv6 address is shown in brackets", () => {
    expect(displayUrl("::1", 80)).toBe("http://[::1]:80");
    expect(displayUrl("127.0.0.1", 8080)).toBe("http://127.0.0.1:8080");
  });
});
