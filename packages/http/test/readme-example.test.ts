import { readFile } from "node:fs/promises";
import { once } from "node:events";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { RawClient } from "./contract/raw-client.ts";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));

test("the README's example runs and echoes", async () => {
  const readme = await readFile(`${packageFolder}README.md`, "utf8");
  const source = /```ts\n([\s\S]*?)```/.exec(readme)?.[1]?.replace("port: 8080", "port: 0") as string;
  const child = spawn(
    process.execPath,
    ["--conditions=@proxy/source", "--input-type=module-typescript", "--eval", source],
    { cwd: packageFolder, stdio: ["ignore", "pipe", "inherit"] },
  );
  const exited = once(child, "exit");
  try {
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(line.toString())?.[1]);
    const client = await RawClient.open(port);
    client.write("POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello");
    expect((await client.readResponse("POST")).body.toString()).toBe("POST /echo\nhello");
    client.destroy();
  } finally {
    child.kill();
    await exited;
  }
});
