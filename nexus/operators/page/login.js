import { call, say } from './api.js';

const code = location.hash.slice(1);
// Out of the address bar and the history before anything else happens.
history.replaceState(null, '', '/login');

const button = document.querySelector('#continue');
const home = document.querySelector('#home');

if (code === '') {
  say('This page needs the whole link, with everything after the # sign.', true);
  home.hidden = false;
} else {
  // Not by itself: programs that preview links must not use it up.
  say('This link lets this browser in, once.');
  button.hidden = false;
  button.focus();
  button.addEventListener('click', signIn);
}

async function signIn() {
  button.disabled = true;
  try {
    await call('POST', '/api/operator/login/code', { code });
    location.replace('/');
  } catch (error) {
    button.hidden = true;
    home.hidden = false;
    say(error.message, true);
  }
}
