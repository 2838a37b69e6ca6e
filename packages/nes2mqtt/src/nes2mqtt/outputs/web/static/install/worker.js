// Opens the page where the gateway does not answer: keeps its files, and only those. No value is ever kept: what the API says
// goes past this worker, so a page that opens from here has none until the gateway answers. The gateway is always asked first, so
// its newest page is the one that is shown.

/** Filled in by the gateway: the files of its page, and what they all are together. */
const SHELL = { version: "", files: [] };

const HOME = new URL("./", self.location.href);
/** With the path: caches belong to the whole address, and behind a proxy another gateway may be on it. */
const NAME = `shell ${HOME.pathname} `;
/** Milliseconds after which a gateway that says nothing is taken for one that is not there. */
const PATIENCE = 5000;

async function keep() {
  const cache = await caches.open(NAME + SHELL.version);
  const page = await fetch(HOME);
  if (!page.ok || page.redirected) {
    throw new Error("not logged in"); // tried again when the page opens the next time
  }
  await cache.put(HOME, page);
  await cache.addAll(SHELL.files.map((file) => new URL(file, HOME)));
}

/** Forget this page's other versions. */
async function forget() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(NAME) && name !== NAME + SHELL.version).map((name) => caches.delete(name)));
}

async function answer(request) {
  const kept = async () => (await caches.open(NAME + SHELL.version)).match(new URL(request.url.split(/[?#]/)[0]));
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  try {
    const asked = fetch(request);
    const first = await Promise.race([asked, late]);
    // A reverse proxy says 502 or the like when the gateway behind it is gone.
    return first && first.status < 500 ? first : ((await kept()) ?? (await asked));
  } catch (error) {
    const found = await kept();
    if (!found) {
      throw error;
    }
    return found;
  }
}

self.addEventListener("install", (event) => event.waitUntil(keep().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(forget().then(() => self.clients.claim())));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const path = request.url.split(/[?#]/)[0];
  const file = SHELL.files.some((name) => new URL(name, HOME).href === path);
  if (request.method === "GET" && (file || (request.mode === "navigate" && path === HOME.href))) {
    event.respondWith(answer(request));
  }
});
