import { styleText } from 'node:util';
import type { Broker } from '../app/broker.ts';
import type { Member } from '../app/team.ts';

type Style = Parameters<typeof styleText>[0];

/** How the reader of the summary runs us: from a checkout or installed. */
const nexus = import.meta.url.endsWith('.ts') ? 'npm run -s nexus --' : 'nexus';

/** What `nexus up` prints: progress as it happens, then how to talk to the team. */
export class UpScreen {
  readonly #json: boolean;
  readonly #stream: NodeJS.WriteStream;
  /** What other commands need to find this instance; nothing by default. */
  readonly #dataDirFlag: string;

  constructor(options: { json: boolean; stream: NodeJS.WriteStream; dataDirFlag: string }) {
    this.#json = options.json;
    this.#stream = options.stream;
    this.#dataDirFlag = options.dataDirFlag;
  }

  note(text: string): void {
    this.#print({ event: 'note', text }, `  ${this.#paint('dim', text)}`);
  }

  brokerUp({ url, pin, isNew, nexusId, dataDir }: Broker): void {
    const { path } = dataDir;
    const made = isNew ? 'new instance' : 'instance';
    this.#print(
      { event: 'broker', url, pin, nexus_id: nexusId, data_dir: path, is_new: isNew },
      `${this.#ok()} broker on ${url}  ${this.#paint('dim', `${made}, data in ${path}`)}`,
    );
    if (pin && !this.#json) this.#stream.write(`  ${this.#paint('dim', `its pin: ${pin}`)}\n`);
  }

  member({ name, title, state, provider, model, problem }: Member): void {
    const line =
      state === 'failed'
        ? `${this.#paint('red', '✗')} ${name} (${title}) did not start: ${problem}`
        : `${this.#ok()} ${name} (${title})  ${this.#paint('dim', using(provider, model))}`;
    this.#print({ event: 'member', name, title, state, provider, model, problem }, line);
  }

  summary({ url, dataDir }: Broker, members: readonly Member[], loginUrl: string): void {
    const live = members.filter(({ state }) => state === 'live');
    const missing = members.filter(({ state }) => state === 'starting').map(({ name }) => name);
    const someone = live.find(({ title }) => title !== 'coordinator') ?? live[0];
    const at = this.#dataDirFlag;
    const lines = [
      '',
      `${live.length} of ${members.length} live on ${url}`,
      ...(missing.length > 0 ? [`still starting: ${missing.join(', ')}`] : []),
      ...(live.some(({ provider }) => provider === 'loopback') ? [loopbackHint] : []),
      '',
      'Talk to them from a second terminal:',
      ...(someone
        ? [`  ${nexus} chat "@${someone.name} what do you think of BUILD.md?"${at}`]
        : []),
      `  ${nexus} chat${at}    the whole room, live`,
      `  ${nexus} status${at}  who is there`,
      'Sign in at a browser, once, within ten minutes, with',
      `  ${loginUrl}`,
      `Logs are in ${dataDir.file('logs')}. Ctrl-C stops everything.`,
    ];
    this.#print({ event: 'ready', url, login_url: loginUrl, members }, lines.join('\n'));
  }

  stopping(signal: string): void {
    this.#print({ event: 'stopping', signal }, `\nstopping…`);
  }

  stopped(): void {
    this.#print({ event: 'stopped' }, `${this.#ok()} stopped`);
  }

  #print(facts: object, text: string): void {
    this.#stream.write(`${this.#json ? JSON.stringify(facts) : text}\n`);
  }

  #ok(): string {
    return this.#paint('green', '✓');
  }

  /** Plain unless this is a terminal that wants colours (`NO_COLOR`). */
  #paint(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#stream });
  }
}

const using = (provider = '', model = ''): string =>
  model && model !== provider ? `${provider}, ${model}` : provider;

const loopbackHint =
  'loopback is a built-in stand-in without a language model; set ANTHROPIC_API_KEY or start Ollama for a real one';
