#!/usr/bin/env node
import { release } from '../../runtime/node/index.ts';
import { processIo } from './io.ts';
import { runCli } from './program.ts';

process.exitCode = await runCli(process.argv.slice(2), processIo());
release();
