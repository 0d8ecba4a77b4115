#!/usr/bin/env python3
"""Builds the demo's recording and its label file, sample by sample.

Writes hub/assets/demo/speech.wav (16 kHz, mono, PCM16) and hub/assets/demo/speech.labels
(which samples are speech). Needs espeak-ng 1.51 (Debian: apt-get install espeak-ng) and nothing
but Python's standard library. `--check` writes nothing and fails if the committed files differ.

Licence: the sentences below are our own; the sound is espeak-ng's synthesis of them, and a
synthesiser's output is not covered by its GPL. Both files are Apache-2.0 like the rest.

The labels come from where this script puts the sounds. It knows no detector; what it promises, and
asserts while it builds, is enough for any detector that works on 20 ms frames:

* every segment starts and ends on a frame boundary, and its first and its last frame hold a sample
  of at least LOUD, so their RMS is at least LOUD / sqrt(320) = 22;
* outside the segments there is only noise of at most NOISE, so an RMS of at most 4;
* inside a segment no two loud samples are further apart than LONGEST_GAP_MS (the pause between two
  halves of one sentence is that long); between segments lie at least SHORTEST_SILENCE_MS.
"""

import argparse
import math
import pathlib
import struct
import subprocess
import sys
import tempfile
import wave

RATE = 16_000
FRAME = 320  # samples: 20 ms
PEAK = 16_000  # the loudest sample of every sentence part
LOUD = 400  # a sample that counts as voice when a sentence is trimmed
NOISE = 4  # highest sample of the noise floor
LONGEST_GAP_MS = 220
SHORTEST_SILENCE_MS = 500
EDGE = 160  # samples of the natural fade kept on either side of a pause inside a sentence

VOICE = ["-v", "en-gb", "-s", "165"]

# (silence before it in ms, parts of the sentence; the pause of LONGEST_GAP_MS stands between parts)
SENTENCES = [
    (600, ["The hub is listening."]),
    (500, ["Every frame has a number,", "and every number is accounted for."]),
    (900, ["Speech goes through."]),
    (700, ["Silence stays behind."]),
    (1400, ["A slow reader never delays its neighbours."]),
    (560, ["Whatever is lost, is lost by name."]),
    (1000, ["Goodbye."]),
]
SILENCE_AT_END_MS = 800

NOTICE = "Own text, synthesised with espeak-ng; Apache-2.0"
ASSETS = pathlib.Path(__file__).resolve().parent.parent / "hub" / "assets" / "demo"


def samples_of(milliseconds):
    return milliseconds * RATE // 1000


def synthesise(text):
    """The sentence as espeak-ng speaks it: (sample rate, samples)."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "spoken.wav"
        subprocess.run(["espeak-ng", *VOICE, "-w", str(path), text], check=True)
        with wave.open(str(path), "rb") as spoken:
            assert (spoken.getnchannels(), spoken.getsampwidth()) == (1, 2)
            count = spoken.getnframes()
            return spoken.getframerate(), struct.unpack(f"<{count}h", spoken.readframes(count))


def resample(rate, samples):
    """To RATE by a windowed sinc (Hann, 16 zero crossings a side), cut off below the new Nyquist."""
    shared = math.gcd(RATE, rate)
    up, down = RATE // shared, rate // shared
    cutoff = 0.92 * min(1.0, RATE / rate)
    reach = math.ceil(16 / cutoff)
    taps = []  # one filter for each of the `up` positions between two input samples
    for phase in range(up):
        filter_taps = []
        for k in range(-reach, reach + 1):
            x = k - phase / up
            window = 0.5 + 0.5 * math.cos(math.pi * x / (reach + 1)) if abs(x) <= reach else 0.0
            angle = math.pi * cutoff * x
            filter_taps.append(window * cutoff * (math.sin(angle) / angle if angle else 1.0))
        taps.append(filter_taps)
    padded = [0] * reach + list(samples) + [0] * (reach + 1)
    out = []
    for n in range(len(samples) * up // down):
        at, phase = divmod(n * down, up)
        piece = padded[at : at + 2 * reach + 1]
        out.append(sum(a * b for a, b in zip(taps[phase], piece)))
    return out


def speak(text):
    """One part of a sentence at RATE, scaled so that its loudest sample is PEAK."""
    sound = resample(*synthesise(text))
    scale = PEAK / max(abs(sample) for sample in sound)
    return [round(sample * scale) for sample in sound]


def loud_positions(sound):
    return [at for at, sample in enumerate(sound) if abs(sample) >= LOUD]


def trimmed(sound, before, after):
    """From `before` samples ahead of the first loud sample to `after` samples past the last one."""
    loud = loud_positions(sound)
    start, end = loud[0] - before, loud[-1] + 1 + after
    padded = [0] * max(0, -start) + sound + [0] * max(0, end - len(sound))
    shift = max(0, -start)
    return padded[start + shift : end + shift]


def sentence(parts):
    """The parts with their pause, aligned so that the first and the last frame hold a loud sample."""
    pause = [0] * (samples_of(LONGEST_GAP_MS) - 2 * EDGE)
    sound = []
    for part in parts:
        if sound:
            sound += pause
        sound += trimmed(speak(part), EDGE, EDGE)
    # The first loud sample stands in the middle of the first frame (EDGE is half a frame); the end
    # is filled up, or its fade shortened, to the end of the frame that holds the last loud sample.
    last = loud_positions(sound)[-1]
    end = (last // FRAME + 1) * FRAME
    return sound[:end] + [0] * (end - len(sound))


def check_sentence(sound):
    loud = loud_positions(sound)
    assert len(sound) % FRAME == 0
    assert loud[0] < FRAME and loud[-1] >= len(sound) - FRAME
    gaps = [later - earlier for earlier, later in zip(loud, loud[1:])]
    assert max(gaps) <= samples_of(LONGEST_GAP_MS) + 1, f"a gap of {max(gaps)} samples"


def noise():
    """The noise floor: the same numbers in every build (a linear congruential generator)."""
    state = 20_240_501
    while True:
        state = (state * 1_103_515_245 + 12_345) % 2**31
        yield (state >> 16) % (2 * NOISE + 1) - NOISE


def build():
    """The recording and its labels [(start, end, text)], in samples."""
    track, labels = [], []
    for silence_ms, parts in SENTENCES:
        silence = samples_of(silence_ms)
        assert silence_ms >= SHORTEST_SILENCE_MS and silence % FRAME == 0
        sound = sentence(parts)
        check_sentence(sound)
        track += [0] * silence
        labels.append((len(track), len(track) + len(sound), " ".join(parts)))
        track += sound
    track += [0] * samples_of(SILENCE_AT_END_MS)
    floor = noise()
    # The noise never makes a loud sample quieter: it is added away from zero there.
    mixed = []
    for sample in track:
        step = next(floor)
        if abs(sample) >= LOUD:
            step = abs(step) if sample > 0 else -abs(step)
        mixed.append(sample + step)
    return mixed, labels


def wav_bytes(track):
    def chunk(name, body):
        return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)

    form = struct.pack("<HHIIHH", 1, 1, RATE, RATE * 2, 2, 16)
    info = b"INFO" + chunk(b"ICOP", NOTICE.encode() + b"\0")
    data = struct.pack(f"<{len(track)}h", *track)
    body = b"WAVE" + chunk(b"fmt ", form) + chunk(b"LIST", info) + chunk(b"data", data)
    return chunk(b"RIFF", body)


def label_bytes(track, labels):
    lines = [
        "# Speech in speech.wav, known from how scripts/make-demo-recording.py put it together.",
        f"# {len(track)} samples at {RATE} Hz, mono; frames of {FRAME} samples (20 ms).",
        f"# Segments start and end on frame boundaries; first and last frame hold a sample >= {LOUD}.",
        f"# Outside them: noise of at most {NOISE}. Quiet stretches inside them: at most "
        f"{LONGEST_GAP_MS} ms; between them: at least {SHORTEST_SILENCE_MS} ms.",
        f"# {NOTICE}.",
        "# segment <tab> first sample <tab> sample after the last one <tab> text",
    ]
    lines += [f"{k}\t{start}\t{end}\t{text}" for k, (start, end, text) in enumerate(labels, 1)]
    return ("\n".join(lines) + "\n").encode()


def main():
    parser = argparse.ArgumentParser(description="Build the demo's recording and its labels.")
    parser.add_argument("--check", action="store_true", help="compare with the committed files")
    arguments = parser.parse_args()
    track, labels = build()
    built = {"speech.wav": wav_bytes(track), "speech.labels": label_bytes(track, labels)}
    differ = False
    for name, content in built.items():
        path = ASSETS / name
        if arguments.check:
            same = path.exists() and path.read_bytes() == content
            differ |= not same
            print(f"{path}: {'as built' if same else 'differs'}")
        else:
            path.write_bytes(content)
            print(f"{path}: {len(content)} bytes")
    print(f"{len(track) / RATE:.2f} s, {len(labels)} segments")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
