"""What a browser remembers for its person: light or dark, and whether it may sound.

Both are kept in the browser alone. The scheme is known before the first paint, so no page shows
the wrong one first; the server never needs to know it.
"""

from __future__ import annotations

from collections.abc import Callable

from nicegui import app, events, html, ui

from components.icon import icon
from components.sheet import Sheet

MENU_ID = "fp-preferences"
_SCHEMES = {"system": "System", "light": "Light", "dark": "Dark"}
_HEAD = """
<script>
(() => {
  const kept = (name, other) => { try { return localStorage.getItem(name) || other; }
    catch { return other; } };
  const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { } };
  const darks = { light: false, dark: true, system: null };
  window.fpTheme = {
    get: () => kept('fp-theme', 'system'),
    dark: () => darks[window.fpTheme.get()] ?? null,
    set: choice => { keep('fp-theme', choice); window.setDark(window.fpTheme.dark()); },
  };
  const system = matchMedia('(prefers-color-scheme: dark)').matches;
  if (window.fpTheme.dark() ?? system) document.documentElement.classList.add('fp-dark');
  const tones = { done: [[880, 0], [1174.7, .09]], needs: [[587.3, 0], [440, .13], [587.3, .26]] };
  let context;
  window.fpSound = {
    at: -1000,
    get: () => kept('fp-sound', 'off') === 'on',
    set: on => { keep('fp-sound', on ? 'on' : 'off'); if (on) window.fpSound.play('done'); },
    play: name => {
      const now = performance.now();
      if (!window.fpSound.get() || now - window.fpSound.at < 1000 || !tones[name]) return;
      window.fpSound.at = now;
      window.fpSound.played = (window.fpSound.played || []).concat(name).slice(-9);
      context = context || new AudioContext();
      // Before the first click or key a page may not sound; what is late by then is left out.
      context.resume().then(() => performance.now() - now < 1000 && window.fpSound.sound(name));
    },
    sound: name => {
      for (const [pitch, after] of tones[name]) {
        const tone = context.createOscillator(), loud = context.createGain();
        const at = context.currentTime + after;
        tone.frequency.value = pitch;
        loud.gain.setValueAtTime(.0001, at);
        loud.gain.exponentialRampToValueAtTime(.06, at + .015);
        loud.gain.exponentialRampToValueAtTime(.0001, at + .22);
        tone.connect(loud).connect(context.destination);
        tone.start(at);
        tone.stop(at + .24);
      }
    },
  };
  document.addEventListener('change', ({ target }) => {
    if (target.name === 'fp-theme') window.fpTheme.set(target.value);
    if (target.id === 'fp-sound') window.fpSound.set(target.checked);
  });
})();
</script>
"""
# Run where the framework chooses a scheme, before it draws anything.
_CHOOSE = "setDark(window.fpTheme.dark());"
_SHOW = """
(() => {
  // The framework wraps every page in a landmark of its own; ours is inside it.
  document.querySelector('main.q-page')?.setAttribute('role', 'presentation');
  for (const radio of document.querySelectorAll('[name=fp-theme]'))
    radio.checked = radio.value === window.fpTheme.get();
  const sound = document.getElementById('fp-sound');
  if (sound) sound.checked = window.fpSound.get();
  emitEvent('fp-sound', window.fpSound.get());
})();
"""


def install_preferences() -> None:
    """Have every page know its scheme before it is painted; called once, at start-up."""
    ui.add_head_html(_HEAD, shared=True)
    if _CHOOSE not in app.config.vue_config_script:
        app.config.vue_config_script += _CHOOSE


class Preferences:
    """A menu behind a button of the frame."""

    def __init__(self) -> None:
        self._may_sound = False
        button = html.button().classes("fp-button quiet fp-gear")
        button.props(f'popovertarget={MENU_ID} aria-label="Preferences" title="Preferences"')
        with button:
            icon("settings")
        said = {"id": MENU_ID, "popover": "auto", "role": "dialog", "aria_label": "Preferences"}
        menu = Sheet("div", "fp-pop fp-menu", **said).root
        schemes = menu.add("fieldset", "fp-schemes")
        schemes.add("legend", "", "Appearance")
        for value, word in _SCHEMES.items():
            choice = schemes.add("label", "fp-scheme")
            choice.add("input", type="radio", name="fp-theme", value=value)
            choice.add("span", "", word)
        switch = menu.add("label", "fp-switch")
        sound = switch.add("input", type="checkbox", id="fp-sound", role="switch")
        sound.on("change", self._sound_changed)
        switch.add("span", "", "Sound")
        words = "A short tone when a payout is paid, another when somebody is needed."
        menu.add("p", "fp-aside", words)
        ui.on("fp-sound", self._sound_changed)

    def show(self) -> None:
        """Have the browser show what it remembers."""
        ui.run_javascript(_SHOW)

    def chime(self, tone: str, run: Callable[[str], object]) -> None:
        """Sound a tone (`done` or `needs`), if this browser was asked to."""
        if self._may_sound:
            run(f"window.fpSound.play('{tone}')")

    def _sound_changed(self, event: events.GenericEventArguments) -> None:
        self._may_sound = event.args is True
