// SPDX-License-Identifier: Apache-2.0
// Runs before the first paint, so that a dark page never flashes white. A file of its own because
// the content security policy allows no inline script.
(() => {
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem('locard.preferences') || '{}');
  } catch {
    kept = {};
  }
  const dark =
    kept.theme === 'dark' ||
    (kept.theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  const root = document.documentElement;
  root.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
  root.setAttribute('data-density', kept.density === 'comfortable' ? 'comfortable' : 'compact');
})();
