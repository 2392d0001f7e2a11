"""The words of ``metadata.type`` that the API documents (the set grows without notice)."""

from __future__ import annotations

__all__ = ["TYPES"]

_WORDS = """
inference-txt2img inference-txt2img-ip-adapter inference-txt2img-texture inference-img2img
inference-img2img-ip-adapter inference-img2img-texture inference-inpaint inference-inpaint-ip-adapter
inference-reference inference-reference-texture inference-controlnet inference-controlnet-ip-adapter
inference-controlnet-img2img inference-controlnet-reference inference-controlnet-inpaint
inference-controlnet-inpaint-ip-adapter inference-controlnet-texture background-removal canvas canvas-export
canvas-drawing detection patch pixelization upscale upscale-texture upscale-skybox vectorization segment
segmentation-image segmentation-mask skybox-base-360 skybox-hdri skybox-3d restyle reframe generative-fill
texture texture-height texture-normal texture-smoothness texture-metallic texture-edge texture-ao texture-albedo
image-prompt-editing unknown img23d txt23d video23d 3d23d img2splat 3d23d-texture 3d-texture 3d-texture-mtl
3d-texture-albedo 3d-texture-normal 3d-texture-roughness 3d-texture-metallic img2video txt2audio audio2audio
audio2video video2audio voice-clone video2video video2img txt2img img2img txt2video uploaded uploaded-video
uploaded-audio uploaded-3d uploaded-avatar upscale-video uploaded-text audio2txt txt2txt img2txt video2txt
"""
TYPES = tuple(_WORDS.split())
