#!/usr/bin/env node
import { runAspect } from '../aspect/run-aspect.ts';

process.exitCode = await runAspect(process.argv.slice(2), process.env);
