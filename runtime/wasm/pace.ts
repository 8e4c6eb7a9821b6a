import { engine } from './engine.ts';

let turned = 0;

/**
 * A turn of the event loop for what waits beside the work (input, drawing, signals), at most every 12 ms; undefined
 * where it is not yet due.
 */
export function pause(): Promise<void> | undefined {
  if (performance.now() - turned < 12) return undefined;
  return new Promise(resolve => {
    const go = (): void => {
      turned = performance.now();
      resolve();
    };
    // Browsers keep timers inside timers waiting for 4 ms, messages not at all.
    if (engine.setImmediate) engine.setImmediate(go);
    else {
      const { port1, port2 } = new engine.MessageChannel();
      port1.onmessage = () => {
        port1.close();
        go();
      };
      port2.postMessage(0);
    }
  });
}
