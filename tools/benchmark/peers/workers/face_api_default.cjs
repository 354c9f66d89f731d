// @vladmandic/face-api (TensorFlow.js, WebAssembly) as its demo for Node shows it: SSD MobileNet, FaceMatcher's own 0.6.
//
// Speaks what workers/lines.py describes. Its networks come with its package; nothing is fetched.
"use strict";
const fs = require("fs");
const path = require("path");
const readline = require("readline");

// The answers' own way out: what a package prints must not stand between them.
const out = fs.openSync("/proc/self/fd/1", "w");
console.log = console.info = console.error;
const say = (said) => fs.writeSync(out, JSON.stringify(said) + "\n");

const modules = path.join(process.cwd(), "node_modules");
const tf = require(path.join(modules, "@tensorflow/tfjs"));
const wasm = require(path.join(modules, "@tensorflow/tfjs-backend-wasm"));
const faceapi = require(path.join(modules, "@vladmandic/face-api/dist/face-api.node-wasm.js"));
const jpeg = require(path.join(modules, "jpeg-js"));
const faces = new Map();

function prominence(box, width, height) {
    const across = box.x + box.width / 2 - width / 2;
    const down = box.y + box.height / 2 - height / 2;
    return box.width * box.height - 2 * (across * across + down * down);
}

async function see(file) {
    const read = jpeg.decode(fs.readFileSync(file), { useTArray: true, formatAsRGBA: false });
    const picture = tf.tensor3d(Int32Array.from(read.data), [read.height, read.width, 3], "int32");
    const found = await faceapi.detectAllFaces(picture).withFaceLandmarks().withFaceDescriptors();
    picture.dispose();
    if (!found.length) return false;
    const likely = (one) => prominence(one.detection.box, read.width, read.height);
    faces.set(file, found.reduce((a, b) => (likely(b) > likely(a) ? b : a)).descriptor);
    return true;
}

function ask({ gallery, probes }) {
    const known = Object.entries(gallery).map(
        ([slot, files]) => new faceapi.LabeledFaceDescriptors(slot, files.map((file) => faces.get(file))),
    );
    const matcher = new faceapi.FaceMatcher(known);
    const best = probes.map((file) => matcher.findBestMatch(faces.get(file)));
    const named = best.find((one) => one.label !== "unknown");
    return { slot: named ? Number(named.label) : null, likeness: -Math.min(...best.map((one) => one.distance)) };
}

(async () => {
    wasm.setWasmPaths(path.join(modules, "@tensorflow/tfjs-backend-wasm/dist") + path.sep);
    await tf.setBackend("wasm");
    await tf.ready();
    const weights = path.join(modules, "@vladmandic/face-api/model");
    for (const net of ["ssdMobilenetv1", "faceLandmark68Net", "faceRecognitionNet"])
        await faceapi.nets[net].loadFromDisk(weights);
    say({ ready: true });
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const asked = JSON.parse(line);
        if (asked.see) {
            const seen = [];
            for (const file of asked.see) seen.push(await see(file));
            say({ seen });
        } else {
            const told = asked.ask.map(ask);
            say({ slots: told.map((one) => one.slot), likeness: told.map((one) => one.likeness) });
        }
    }
})();
