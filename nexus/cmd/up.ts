import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { AspectRuntime } from '#runtime/aspect/aspect-runtime';
import { chooseProvider } from '#runtime/aspect/choose-provider';
import { ProviderError } from '#runtime/providers/provider';
import { SessionError } from '#runtime/session/errors';
import { systemClock } from '#shared/sys/clock';
import { newUlid } from '#shared/sys/ids';
import { type Broker, startBroker } from '../app/broker.ts';
import { copySampleTeam } from '../app/sample-team.ts';
import { type EmbeddedAspect, startTeam, type TeamDeps } from '../app/team.ts';
import { TeamError } from '../aspects/errors.ts';
import { findTeam } from '../aspects/homes.ts';
import { aspectProgram } from './aspect-program.ts';
import { brokerOptions } from './broker-options.ts';
import { aspectDirFlag, defaultAspectDir, serverFlags } from './flags.ts';
import { untilStopped } from './signals.ts';
import { UpScreen } from './up-screen.ts';

const flags = {
  ...serverFlags,
  ...aspectDirFlag,
  provider: {
    type: 'string',
    describe: 'model provider for everyone, instead of what each aspect.json says',
  },
} as const satisfies Record<string, Options>;

/** `nexus up`: the broker, the coordinator in it, and a supervised process for everyone else. */
export const command: CommandModule<object, InferredOptionTypes<typeof flags>> = {
  command: 'up',
  describe: 'start the broker and the team',
  builder: flags,
  async handler(argv) {
    const screen = new UpScreen({
      json: argv.json,
      stream: process.stdout,
      dataDirFlag: argv['data-dir'] === './data' ? '' : ` --data-dir ${argv['data-dir']}`,
    });
    const signalled = untilStopped();
    const stop = new AbortController();
    const folders = argv['aspect-dir'].split(',').filter((folder) => folder !== '');
    if (folders[0] === defaultAspectDir && !existsSync(defaultAspectDir)) {
      screen.note(`created ${copySampleTeam(resolve(defaultAspectDir))} with a sample team`);
    }
    const team = findTeam(folders);
    for (const { warnings } of [...team.aspects, ...(team.frame ? [team.frame] : [])]) {
      for (const warning of warnings) screen.note(warning);
    }
    const broker = await startBroker(brokerOptions(argv, team.frame?.config.name));
    const stopped = Promise.race([signalled, broker.shutdownAsked.then(() => 'request')]);
    void stopped.then(() => stop.abort());
    try {
      screen.brokerUp(broker);
      const running = await startTeam({
        broker,
        team,
        program: aspectProgram(),
        embed: embedder(argv.provider, broker),
        provider: argv.provider,
        env: process.env,
        clock: systemClock,
        onMember: (member) => screen.member(member),
        signal: stop.signal,
      });
      if (!stop.signal.aborted) {
        const { url } = await broker.loginLink();
        screen.summary(broker, running.members, url);
      }
      const signal = await stopped;
      screen.stopping(signal);
      await running.close();
    } finally {
      await broker.close();
    }
    screen.stopped();
  },
};

/** Runs the coordinator in this process: an ordinary runtime on an in-memory link. */
function embedder(provider: string | undefined, broker: Broker): TeamDeps['embed'] {
  const { log } = broker;
  return async (home, team, dial): Promise<EmbeddedAspect> => {
    const open = async () => {
      const keys = await broker.providerEnvironment(home.config.name);
      const wish = { provider, env: { ...process.env, ...keys }, clock: systemClock };
      const chosen = await chooseProvider(home, wish);
      return AspectRuntime.open({
        home,
        provider: chosen.provider,
        model: chosen.model,
        dial: () => Promise.resolve(dial()),
        team,
        clock: systemClock,
        newId: newUlid,
        log: log.child({ aspect: home.config.name }),
      });
    };
    const runtime = await open().catch((error) => {
      if (!(error instanceof ProviderError || error instanceof SessionError)) throw error;
      const message = `${home.config.name} cannot start: ${error.message}`;
      throw new TeamError('team.bad_home', message, { cause: error });
    });
    runtime.run().catch((error) => log.error({ err: error }, 'the coordinator stopped'));
    return { close: () => runtime.stop('the broker is stopping') };
  };
}
