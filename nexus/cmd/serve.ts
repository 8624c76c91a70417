import type { CommandModule } from 'yargs';
import { startBroker } from '../app/broker.ts';
import { brokerOptions, type ServerFlags } from './broker-options.ts';
import { serverFlags } from './flags.ts';
import { untilStopped } from './signals.ts';

/** `nexus serve`: the broker alone, without a team. */
export const command: CommandModule<object, ServerFlags> = {
  command: 'serve',
  describe: 'run the broker alone; aspects connect from elsewhere',
  builder: serverFlags,
  async handler(flags) {
    const stopped = untilStopped();
    const broker = await startBroker(brokerOptions(flags));
    const { url, nexusId } = broker;
    console.log(
      flags.json
        ? JSON.stringify({ event: 'ready', url, nexus_id: nexusId, data_dir: broker.dataDir.path })
        : `nexus listens on ${url}; Ctrl-C stops it`,
    );
    await Promise.race([stopped, broker.shutdownAsked]);
    await broker.close();
  },
};
