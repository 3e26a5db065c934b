"""Writes a random model of GPT-2 small's shape (f32, about 500 MB) to a folder: python random_gpt2.py FOLDER"""

import sys

import torch
from transformers import GPT2Config, GPT2LMHeadModel

torch.manual_seed(0)
GPT2LMHeadModel(GPT2Config()).eval().save_pretrained(sys.argv[1])
