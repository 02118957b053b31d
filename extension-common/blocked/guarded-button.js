// SPDX-License-Identifier: Apache-2.0
// A button that only a person presses who has seen it. A page can open this one, and can lure
// somebody into clicking at a place where it is about to appear; so the button works only after it
// was in sight, in a window that has the focus, for longer than such a click takes.

const sightMs = 1_500;

export function guardButton(button, onPress) {
  const document = button.ownerDocument;
  let timer;
  const look = () => {
    clearTimeout(timer);
    button.disabled = true;
    if (document.visibilityState !== 'visible' || !document.hasFocus()) return;
    timer = setTimeout(() => { button.disabled = false; }, sightMs);
  };
  // It comes into sight, or leaves it.
  new IntersectionObserver(look, { threshold: 1 }).observe(button);
  for (const name of ['focus', 'blur', 'resize']) document.defaultView.addEventListener(name, look);
  document.addEventListener('visibilitychange', look);
  button.addEventListener('click', (event) => {
    if (!event.isTrusted || button.disabled) return;
    button.disabled = true;
    onPress();
  });
}
