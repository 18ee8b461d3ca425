import { describe, expect, it } from "vitest";
import { removeCookies, requestCookie } from "../../src/session/request-cookies.ts";
import { cookies } from "./sessions.ts";

describe("cookies of a request", () => {
  it("are taken out, and those beside them stay as they were", () => {
    const isOwn = (name: string): boolean => name === "s";
    for (const [before, after] of [
      [["s=1"], []],
      [["a=1; s=2; b=3"], ["a=1; b=3"]],
      [["s=1;a=2"], ["a=2"]],
      [["a=1; s=2", "s=3", "b=\"x; s=4"], ["a=1", "b=\"x"]],
      [["S=1; ss=2; s"], ["S=1; ss=2"]],
      [["a=s=1"], ["a=s=1"]],
    ] as const) {
      const headers = cookies(...before);
      removeCookies(headers, isOwn);
      expect(headers.getAll("cookie")).toEqual(after);
    }
  });

  it("have names as browsers see them: what they take for a part of it is one", () => {
    for (const blank of ["\u00a0", "\u0085", "\u00c2\u00a0", "\u00e2\u0080\u0080", "\ufeff"]) {
      expect(requestCookie(cookies(`a=1; ${blank}__Host-s=tossed`), "__Host-s")).toBeUndefined();
      expect(requestCookie(cookies(`${blank}__Host-s=tossed; __Host-s=mine`), "__Host-s")).toBe("mine");
      expect(requestCookie(cookies(`__Host-s${blank}=tossed; __Host-s=mine${blank}`), "__Host-s")).toBe(`mine${blank}`);
    }
    expect(requestCookie(cookies("=__Host-s=tossed; __Host-s=mine"), "__Host-s")).toBe("mine");
    expect(requestCookie(cookies("a=1;\t __Host-s\t =\t mine \t; b=2"), "__Host-s")).toBe("mine");
  });

  it("are read when they are clear", () => {
    expect(requestCookie(cookies("a=1; s=x=y"), "s")).toBe("x=y");
    expect(requestCookie(cookies("s=1", "s=1"), "s")).toBeUndefined();
    expect(requestCookie(cookies("as=1"), "s")).toBeUndefined();
  });
});
