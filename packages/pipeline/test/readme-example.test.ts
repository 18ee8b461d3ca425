import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));

test("the README's example runs and serves its routes", async () => {
  const readme = await readFile(`${packageFolder}README.md`, "utf8");
  const source = /```ts\n([^]*?)```/.exec(readme)?.[1]?.replace("listen(8080", "listen(0") ?? "";
  const child = spawn(process.execPath, ["--conditions=@proxy/source", "--input-type=module-typescript", "--eval", source], {
    cwd: packageFolder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  try {
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const url = `http://127.0.0.1:${/port: (\d+)/.exec(line.toString())?.[1]}`;
    expect(await (await fetch(new URL("/healthy", url))).text()).toBe("yes");
    // Nothing listens behind the other route.
    expect((await fetch(new URL("/api/x", url))).status).toBeOneOf([200, 404, 502]);
    expect((await fetch(new URL("/other", url))).status).toBe(404);
  } finally {
    child.kill();
    await exited;
  }
});
