// Fetches the page again while somebody looks at it, and puts the new content in place of the old. Never as text that is parsed
// by us: the browser makes a document of it, in which no script runs.
const EVERY_MS = 15_000;

const lost = document.getElementById('lost');
const pause = document.getElementById('pause');
let isPaused = false;

function fetchPage() {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('GET', location.pathname);
    request.setRequestHeader('accept', 'text/html');
    request.responseType = 'document';
    request.timeout = 10_000;
    request.addEventListener('load', () =>
      request.status === 200 && request.response ? resolve(request.response) : reject(new Error('no page')),
    );
    for (const trouble of ['error', 'timeout']) request.addEventListener(trouble, () => reject(new Error(trouble)));
    request.send();
  });
}

/** What is open, focused or scrolled stays so. */
function replaceStatus(fresh) {
  const old = document.getElementById('status');
  const next = fresh.getElementById('status');
  if (!old || !next) return;
  const open = [...old.querySelectorAll('details[open]')].map(({ id }) => id);
  const scrolled = [...old.querySelectorAll('.scroll')].map(({ scrollLeft, scrollTop }) => ({ scrollLeft, scrollTop }));
  const focused = document.activeElement;
  const focusable = 'a, button, summary, [tabindex]';
  const place = old.contains(focused) ? [...old.querySelectorAll(focusable)].indexOf(focused) : -1;
  old.replaceChildren(...[...next.childNodes].map(node => document.importNode(node, true)));
  for (const id of open) document.getElementById(id)?.setAttribute('open', '');
  for (const [index, region] of old.querySelectorAll('.scroll').entries()) Object.assign(region, scrolled[index]);
  if (place >= 0) old.querySelectorAll(focusable)[place]?.focus({ preventScroll: true });
  document.title = fresh.title;
}

async function update() {
  // Whoever is marking text wants to copy it.
  if (isPaused || document.hidden || !getSelection().isCollapsed) return;
  try {
    replaceStatus(await fetchPage());
    lost.hidden = true;
  } catch {
    lost.hidden = false;
  }
}

pause.hidden = false;
pause.addEventListener('click', () => {
  isPaused = !isPaused;
  pause.textContent = isPaused ? 'Resume updates' : 'Pause updates';
  void update();
});
document.addEventListener('visibilitychange', () => void update());
setInterval(() => void update(), EVERY_MS);
