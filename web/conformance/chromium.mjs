// Finds a Chromium that runs on this machine, and starts it.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const INSTALLED = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The browser cannot nest its sandbox in a container, nor run it as root; it only ever loads our own page here. */
const FLAGS = ["--no-sandbox", "--no-zygote", "--disable-gpu"];

/** Starts the first browser that can show text. Throws an Error with the output of each. */
export async function startChromium() {
  const { chromium } = await import("playwright-core");
  const failures = [];
  for (const find of candidates()) {
    let browser;
    try {
      browser = await chromium.launch({ args: FLAGS, ...(await find()) });
      await showText(browser);
      return browser;
    } catch (error) {
      failures.push(error.message.split("\n")[0]);
      await browser?.close();
    }
  }
  throw new Error(failures.join("; "));
}

/** A browser without a usable font starts, and crashes at the first text. */
async function showText(browser) {
  const page = await browser.newPage();
  await page.setContent("<p>text</p>");
  await page.screenshot();
  await page.close();
}

/** Ways to launch options, the best first; what MONETA_CHROMIUM chooses has no substitute. */
function candidates() {
  const chosen = process.env.MONETA_CHROMIUM;
  const at = (executablePath) => () => ({ executablePath });
  return chosen ? [at(chosen)] : [packaged, ...INSTALLED.filter((path) => existsSync(path)).map(at)];
}

/** The one inside @sparticuz/chromium, with the libraries and fonts that it brings along. */
async function packaged() {
  const home = join(web, "node_modules/.cache/chromium");
  if (!existsSync(home)) await unpack(home);
  const fontconfig = join(home, "fontconfig");
  await mkdir(fontconfig, { recursive: true });
  await writeFile(join(fontconfig, "fonts.conf"), fontsIn(join(home, "fonts")));
  const libraries = [join(home, "al2023/lib"), process.env.LD_LIBRARY_PATH].filter(Boolean).join(":");
  return {
    executablePath: join(home, "chromium"),
    env: { ...process.env, LD_LIBRARY_PATH: libraries, FONTCONFIG_PATH: fontconfig },
  };
}

/** The package unpacks itself into the temporary directory, libraries only if it detects AWS Lambda. */
async function unpack(home) {
  await mkdir(dirname(home), { recursive: true });
  const fresh = await mkdtemp(`${home}-`);
  try {
    const script = "const { default: chromium } = await import('@sparticuz/chromium'); await chromium.executablePath();";
    const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: web,
      env: { ...process.env, TMPDIR: fresh, AWS_LAMBDA_JS_RUNTIME: "nodejs20.x" },
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`@sparticuz/chromium does not unpack: ${stderr.match(/^\w*Error.*$/m)?.[0] ?? stderr}`);
    await rename(fresh, home);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Another run may have been quicker: a folder that is in place is whole.
    if (!existsSync(home)) throw error;
  }
}

function fontsIn(folder) {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${folder}-cache</cachedir>
</fontconfig>
`;
}
