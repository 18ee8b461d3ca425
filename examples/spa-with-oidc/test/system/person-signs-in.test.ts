/** A person with a browser: signs in with the provider's forms, sees the page, signs out. */
import { expect } from "vitest";
// @boundaries-ignore the browser of the gateway's own tests
import { startChromium, type Browser } from "../../../../apps/gateway/test/system/chromium.ts";
// @boundaries-ignore the programs of the gateway's own tests
import { testWith } from "../../../../apps/gateway/test/system/required-programs.ts";
import { startExample } from "../example.ts";

/** What the page says, once its script is done. */
const said = (browser: Browser): Promise<unknown> =>
  browser.evaluate(`new Promise((resolve) => {
    const look = () => document.body.dataset.ready === "true" && resolve(document.getElementById("who").textContent);
    new MutationObserver(look).observe(document.body, { attributes: true });
    look();
  })`);

const submit = `document.querySelector("form").requestSubmit(document.querySelector("form [type=submit], form button"))`;

testWith(["chromium"], "a person signs in, stays signed in on reload, and signs out", async ({ chromium }) => {
  await using example = await startExample();
  await using browser = await startChromium(chromium as string);
  await browser.open(`${example.site}/orders/7?view=all`);
  expect(await said(browser)).toBe("Nobody is signed in.");

  await browser.follow(`document.getElementById("login").click()`);
  await browser.evaluate(`document.querySelector("[name=login]").value = "alice"; document.querySelector("[name=password]").value = "any"`);
  await browser.follow(submit);
  // What the provider may tell the application.
  await browser.follow(submit);
  expect(await browser.evaluate("location.href")).toBe(`${example.site}/orders/7?view=all`);
  expect(await said(browser)).toBe("Hello alice.");
  expect(await browser.evaluate("document.cookie")).toBe("");
  expect(await browser.evaluate(`fetch("/api/me").then((answer) => answer.json())`)).toEqual({ user: "alice", cookie: null, path: "/api/me" });

  await browser.open(`${example.site}/`);
  expect(await said(browser)).toBe("Hello alice.");

  await browser.follow(`document.getElementById("logout").requestSubmit()`);
  await browser.follow(`document.querySelector("button[name=logout], button[autofocus]").click()`);
  expect(await browser.evaluate("location.href")).toBe(`${example.site}/`);
  expect(await said(browser)).toBe("Nobody is signed in.");
  expect(await browser.evaluate(`fetch("/api/me").then((answer) => answer.status)`)).toBe(401);
});
