/** A refusal by the broker, in words for people. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** One call of the broker's REST side: JSON both ways. Rejects with `Refused`. */
export async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Refused(response.status, answer.error ?? `the broker answered ${response.status}`);
}

/** Says something at the top of the page; nothing for no text. */
export function say(text, isBad = false) {
  const notice = document.querySelector('#notice');
  notice.textContent = text;
  notice.hidden = text === '';
  notice.classList.toggle('bad', isBad);
}
