import { call, Refused, say } from './api.js';

const { startAuthentication, startRegistration } = globalThis.SimpleWebAuthnBrowser;
const find = (id) => document.getElementById(id);

find('sign-in').addEventListener('click', () => attempt(signIn));
find('sign-out').addEventListener('click', () => attempt(signOut));
find('add-passkey').addEventListener('submit', (event) => {
  event.preventDefault();
  void attempt(addPasskey);
});

await attempt(show);

/** Runs what a click asked for, and says what went wrong. */
async function attempt(action) {
  say('');
  try {
    await action();
  } catch (error) {
    if (error instanceof Refused && error.status === 401 && action !== signIn) {
      showSignedOut();
      if (action !== show) say(error.message, true);
    } else if (error.name === 'NotAllowedError') {
      say('The browser was not given a passkey. Try again when you are ready.', true);
    } else if (error.name === 'InvalidStateError') {
      say('This device has a passkey here already.', true);
    } else {
      say(error.message, true);
    }
  }
}

async function show() {
  const me = await call('GET', '/api/operator/me');
  const [{ passkeys }, { sessions }] = await Promise.all([
    call('GET', '/api/operator/passkeys'),
    call('GET', '/api/operator/sessions'),
  ]);
  find('instance').textContent = me.nexus_id.slice(0, 8);
  find('who').textContent = me.operator;
  find('role').textContent = me.role;
  find('until').textContent = `Until ${time(me.session_expires)}, or 12 hours after the last use.`;
  list(
    'passkey-list',
    passkeys,
    'No passkey yet. With one you can sign in without a link.',
    (each) =>
      row(
        each.operator === me.operator ? each.label : `${each.label} (${each.operator})`,
        `added ${time(each.registered_at)}${each.last_used_at ? `, last used ${time(each.last_used_at)}` : ''}`,
        'Remove',
        () => remove(`/api/operator/passkeys/${each.id}`, `Removed ${each.label}.`),
      ),
  );
  list('session-list', sessions, 'No other session.', (each) =>
    row(
      `${each.current ? 'This browser' : browserName(each.agent)}${each.operator === me.operator ? '' : ` (${each.operator})`}`,
      `by ${each.method} from ${each.address}, last used ${time(each.seen_at)}`,
      'Sign out',
      each.current
        ? signOut
        : () => remove(`/api/operator/sessions/${each.id}`, 'Signed that browser out.'),
    ),
  );
  for (const id of ['signed-in', 'passkeys', 'sessions', 'sign-out']) find(id).hidden = false;
  find('signed-out').hidden = true;
}

function showSignedOut() {
  for (const id of ['signed-in', 'passkeys', 'sessions', 'sign-out']) find(id).hidden = true;
  find('signed-out').hidden = false;
}

async function signIn() {
  const begun = await call('POST', '/api/operator/login/begin');
  const assertion = await startAuthentication({ optionsJSON: begun.options.publicKey });
  await call('POST', '/api/operator/login/finish', {
    ...assertion,
    session_token: begun.session_token,
  });
  await show();
}

async function addPasskey() {
  const label = find('label').value.trim();
  const begun = await call('POST', '/api/operator/register/begin', { label });
  const attestation = await startRegistration({ optionsJSON: begun.options.publicKey });
  await call('POST', '/api/operator/register/finish', {
    ...attestation,
    session_token: begun.session_token,
  });
  find('label').value = '';
  await show();
  say(`Added ${label}.`);
}

async function signOut() {
  await call('POST', '/api/operator/logout');
  showSignedOut();
  say('Signed out.');
}

async function remove(path, done) {
  await call('DELETE', path);
  await show();
  say(done);
}

function list(id, items, empty, toRow) {
  const rows = items.map(toRow);
  if (rows.length === 0) {
    const nothing = document.createElement('li');
    nothing.className = 'quiet';
    nothing.textContent = empty;
    rows.push(nothing);
  }
  find(id).replaceChildren(...rows);
}

function row(title, detail, action, run) {
  const item = document.createElement('li');
  const text = document.createElement('div');
  const small = document.createElement('div');
  const button = document.createElement('button');
  text.append(title);
  small.className = 'quiet';
  small.textContent = detail;
  text.append(small);
  button.type = 'button';
  button.className = 'plain';
  button.textContent = action;
  button.addEventListener('click', () => attempt(run));
  item.append(text, button);
  return item;
}

/** Roughly what somebody would call that browser. */
function browserName(agent) {
  const browser = /(Firefox|Edg|Chrome|Safari)\//.exec(agent)?.[1]?.replace('Edg', 'Edge');
  const system = /(Windows|Mac OS X|Android|iPhone|Linux)/.exec(agent)?.[1];
  return [browser ?? 'A program', system].filter(Boolean).join(' on ');
}

function time(text) {
  return new Date(text).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
}
