// The camera as a place to take pictures from, in the place of the pad, where the browser and its user allow it.

import { find, write } from "../page/element.ts";
import { squareOf } from "./pixels.ts";

export class Camera {
  readonly #video = find("#video", HTMLVideoElement);

  get isOn(): boolean {
    return !this.#video.hidden;
  }

  /** Asks for the camera, or lets it go. Throws what to do where it is not to be had. */
  async toggle(): Promise<void> {
    const on = !this.isOn;
    if (on) this.#video.srcObject = await camera();
    else this.#stop();
    this.#video.hidden = !on;
    find("#pad", HTMLCanvasElement).hidden = on;
    const button = find("#camera", HTMLButtonElement);
    write(button, on ? "Pad" : "Camera"); // what comes in its place
  }

  /** The video, once it shows something. */
  get video(): HTMLVideoElement | undefined {
    return this.isOn && this.#video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA ? this.#video : undefined;
  }

  /** What it sees now as a picture that stays, or undefined before its first one. */
  picture(): HTMLCanvasElement | undefined {
    const { video } = this;
    return video && squareOf(video, video.videoWidth, video.videoHeight);
  }

  #stop(): void {
    const stream = this.#video.srcObject;
    if (stream instanceof MediaStream) for (const track of stream.getTracks()) track.stop();
    this.#video.srcObject = null;
  }
}

/** What a browser calls a refusal, and what that is for people. */
const refusals: Readonly<Record<string, string>> = {
  NotAllowedError:
    "This page may not use the camera. Allow it in the browser's settings for this page, or drop pictures.",
  NotFoundError: "There is no camera here. Draw on the pad, or drop pictures.",
  NotReadableError: "The camera is in use elsewhere. Close what uses it, and press the button again, or drop pictures.",
};

async function camera(): Promise<MediaStream> {
  // Away from https:// and localhost a browser has none to give.
  if (navigator.mediaDevices === undefined)
    throw new Error(
      "Browsers give a camera to pages on https:// and on localhost alone. Draw on the pad, or drop pictures.",
    );
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch (cause) {
    const { name, message } = cause as Error;
    throw new Error(refusals[name] ?? `The camera is not to be had (${message}). Draw on the pad, or drop pictures.`, {
      cause,
    });
  }
}
