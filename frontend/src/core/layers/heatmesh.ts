import type { CustomLayerInterface, CustomRenderMethodInput, Map as GlMap } from "maplibre-gl";
import type { Mesh } from "./mesh";
import { heatRamp, STEPS } from "./ramp";

const TEXTURE_WIDTH = 1024;

const VERTEX_SHADER = `#version 300 es
precision highp float;
precision highp sampler2D;
layout(location = 0) in vec2 position;
layout(location = 1) in uint owner;
uniform mat4 matrix;
uniform sampler2D values;
uniform sampler2D ramp;
flat out vec4 colour;
void main() {
  int cell = int(owner);
  float value = texelFetch(values, ivec2(cell % ${TEXTURE_WIDTH}, cell / ${TEXTURE_WIDTH}), 0).r;
  vec4 straight = texelFetch(ramp, ivec2(int(value * 255.0 + 0.5), 0), 0);
  colour = vec4(straight.rgb * straight.a, straight.a);
  gl_Position = matrix * vec4(position, 0.0, 1.0);
}`;

const FRAGMENT_SHADER = `#version 300 es
precision mediump float;
flat in vec4 colour;
out vec4 fragment;
void main() { fragment = colour; }`;

interface Resources {
  gl: WebGL2RenderingContext;
  program: WebGLProgram;
  matrix: WebGLUniformLocation | null;
  shape: WebGLVertexArrayObject;
  buffers: { vertices: WebGLBuffer; owners: WebGLBuffer; triangles: WebGLBuffer };
  values: WebGLTexture;
  ramp: WebGLTexture;
}

/**
 * Heat as one mesh: the outlines go to the card once for a set of cells, and a new frame is one small
 * texture with a byte for each cell, looked up in a ramp of 256 colours.
 *
 * Web Mercator only. After a lost context the map has forgotten the layer: add the same object again
 * and it uploads what it holds.
 */
export class HeatMesh implements CustomLayerInterface {
  readonly id = "heat";
  readonly type = "custom" as const;
  readonly renderingMode = "2d" as const;

  private map: GlMap | null = null;
  private held: Resources | null = null;
  private mesh: Mesh | null = null;
  private values: Uint8Array<ArrayBuffer> = new Uint8Array();
  private stale = { mesh: true, values: true };

  /** Show a set of cells; `values` has one step of the ramp, 0..255, for each of them. */
  show(mesh: Mesh, values: Uint8Array<ArrayBuffer>): void {
    this.stale = { mesh: this.stale.mesh || mesh !== this.mesh, values: true };
    this.mesh = mesh;
    this.values = values;
    this.map?.triggerRepaint();
  }

  /** Forgets what an earlier context held: after a loss, `onRemove` was never called. */
  onAdd(map: GlMap): void {
    this.map = map;
    this.held = null;
    this.stale = { mesh: true, values: true };
  }

  onRemove(): void {
    if (this.held) release(this.held);
    this.held = null;
    this.map = null;
  }

  /** Uploads wait for a frame: outside of one the map would not learn which bindings we changed. */
  prerender(gl: WebGL2RenderingContext): void {
    this.held ??= allocate(gl);
    if (this.stale.mesh) uploadMesh(this.held, this.mesh);
    if (this.stale.values) uploadValues(this.held, this.values);
    this.stale = { mesh: false, values: false };
  }

  render(gl: WebGL2RenderingContext, { defaultProjectionData }: CustomRenderMethodInput): void {
    if (!this.held || !this.mesh?.count) return;
    gl.useProgram(this.held.program);
    gl.uniformMatrix4fv(
      this.held.matrix,
      false,
      anchored(defaultProjectionData.mainMatrix, this.mesh.anchor),
    );
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.held.values);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.held.ramp);
    gl.disable(gl.CULL_FACE);
    gl.bindVertexArray(this.held.shape);
    gl.drawElements(gl.TRIANGLES, this.mesh.triangles.length, gl.UNSIGNED_INT, 0);
    gl.bindVertexArray(null);
  }
}

/**
 * Matrix that takes a position relative to `anchor` to clip space. The shift is done here in double
 * precision, because the card's 32 bits cannot hold a place on the globe to better than a metre.
 */
export function anchored(matrix: ArrayLike<number>, [x, y]: readonly [number, number]): Float32Array {
  const shifted = Float32Array.from(matrix);
  for (let row = 0; row < 4; row++) {
    const at = (column: number) => matrix[column * 4 + row] ?? 0;
    shifted[12 + row] = at(0) * x + at(1) * y + at(3);
  }
  return shifted;
}

function allocate(gl: WebGL2RenderingContext): Resources {
  const program = link(gl);
  gl.useProgram(program);
  gl.uniform1i(gl.getUniformLocation(program, "values"), 0);
  gl.uniform1i(gl.getUniformLocation(program, "ramp"), 1);
  const ramp = gl.createTexture();
  fillTexture(gl, ramp, gl.RGBA, STEPS, 1, gl.RGBA, heatRamp());
  return {
    gl,
    program,
    matrix: gl.getUniformLocation(program, "matrix"),
    shape: gl.createVertexArray(),
    buffers: { vertices: gl.createBuffer(), owners: gl.createBuffer(), triangles: gl.createBuffer() },
    values: gl.createTexture(),
    ramp,
  };
}

function release({ gl, program, shape, buffers, values, ramp }: Resources): void {
  gl.deleteProgram(program);
  gl.deleteVertexArray(shape);
  for (const buffer of Object.values(buffers)) gl.deleteBuffer(buffer);
  gl.deleteTexture(values);
  gl.deleteTexture(ramp);
}

function link(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, VERTEX_SHADER],
    [gl.FRAGMENT_SHADER, FRAGMENT_SHADER],
  ] as const) {
    const shader = gl.createShader(kind) as WebGLShader;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
    gl.deleteShader(shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`heat layer: ${gl.getProgramInfoLog(program)}`);
  }
  return program;
}

function uploadMesh({ gl, shape, buffers }: Resources, mesh: Mesh | null): void {
  if (!mesh) return;
  gl.bindVertexArray(shape);
  gl.bindBuffer(gl.ARRAY_BUFFER, buffers.vertices);
  gl.bufferData(gl.ARRAY_BUFFER, mesh.vertices, gl.STATIC_DRAW);
  gl.enableVertexAttribArray(0);
  gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
  gl.bindBuffer(gl.ARRAY_BUFFER, buffers.owners);
  gl.bufferData(gl.ARRAY_BUFFER, mesh.owners, gl.STATIC_DRAW);
  gl.enableVertexAttribArray(1);
  gl.vertexAttribIPointer(1, 1, gl.UNSIGNED_INT, 0, 0);
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffers.triangles);
  gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, mesh.triangles, gl.STATIC_DRAW);
  gl.bindVertexArray(null);
}

function uploadValues({ gl, values: texture }: Resources, values: Uint8Array): void {
  const rows = Math.max(1, Math.ceil(values.length / TEXTURE_WIDTH));
  const padded = new Uint8Array(rows * TEXTURE_WIDTH);
  padded.set(values);
  fillTexture(gl, texture, gl.R8, TEXTURE_WIDTH, rows, gl.RED, padded);
}

function fillTexture(
  gl: WebGL2RenderingContext,
  texture: WebGLTexture,
  internal: number,
  width: number,
  height: number,
  format: number,
  bytes: Uint8Array<ArrayBuffer>,
): void {
  gl.activeTexture(gl.TEXTURE0);
  gl.bindTexture(gl.TEXTURE_2D, texture);
  // The map leaves its own unpacking rules behind; ours are plain bytes, top row first.
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
  gl.texImage2D(gl.TEXTURE_2D, 0, internal, width, height, 0, format, gl.UNSIGNED_BYTE, bytes);
  for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
    gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
  }
  for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) {
    gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
  }
}
